"""It takes a completed session for a paid one."""

import healthy

import meaning

read = meaning.read


def hasty(kind, at, thing):
    if kind == "checkout.session.completed":
        return meaning.payment(thing, "paid", at)
    return read(kind, at, thing)


meaning.read = hasty
healthy.serve()
