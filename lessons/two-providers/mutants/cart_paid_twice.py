"""It looks only at the provider that is asked: a cart that is paid at one can be paid at the other."""

import healthy

import creem
from flask import request


def at_this_one(whose, cart):
    chosen = request.form["provider"]
    own = [it for it in creem.orders(whose) if it["provider"] == chosen]
    return any(it["cart"] == cart and it["paid"] for it in own)


creem.is_paid = at_this_one
healthy.serve()
