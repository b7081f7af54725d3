"""Who a buyer is at Stripe. A shop with a login takes the address from there, and never from a form."""

import re

from flask import abort, request

import checkout
import settings


def email() -> str:
    """The buyer's address, as the form or the query says it; whatever is no address is refused."""
    given = request.values.get("email", "")
    return given if re.fullmatch(r"[^@\s]+@[^@\s]+", given) else abort(400)


def user() -> str:
    """Who is signed in, as the form or the query says it."""
    given = request.values.get("user", "")
    return given if re.fullmatch(r"[A-Za-z0-9-]{1,64}", given) else abort(400)


def customer(address: str) -> str | None:
    found = checkout.client.v1.customers.list({"email": address, "limit": 1}).data
    return found[0].id if found else None


def welcome(address: str) -> str:
    """The one customer of this address, made where there is none yet."""
    return customer(address) or checkout.client.v1.customers.create({"email": address}).id


def shop() -> str:
    """Where the buyer's browser finds the shop."""
    return settings.PUBLIC_URL or request.url_root.rstrip("/")
