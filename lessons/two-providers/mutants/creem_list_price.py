"""It books what the product costs, and not what was paid: with a code the book has money that never came."""

import healthy

import creem

keep = creem.keep


def full(db, kind, thing):
    if kind == "checkout.completed":
        thing["order"]["amount_paid"] = thing["product"]["price"]
    keep(db, kind, thing)


creem.keep = full
healthy.serve()
