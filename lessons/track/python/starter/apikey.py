"""Keys of an API that is sold by subscription: one for a purchase, shown once, kept as a hash, counted, and over in time."""

from flask import Blueprint

blueprint = Blueprint("apikey", __name__)

# How many calls a period that was paid is good for.
QUOTA = 3

# Lesson api-keys: a table with a row for each Checkout Session that is begun for a key, and whose it is; and one with the
# hash of each key, its session (which has one), its subscription, and what was used of the period. `ledger.prepare` makes
# them. What was paid and what has ended stands in the tables of subscription.py.
SCHEMA = ""


@blueprint.post("/keys/buy")
def begin():
    # Lesson api-keys: make a Checkout Session for a subscription of the form's `user` (buyer.user), note whose it is, and
    # lead the browser there with 303.
    return "api-keys", 501


@blueprint.get("/keys/thanks")
def thanks():
    # Lesson api-keys: as JSON, the `key` of the query's `session_id`, the first time; null from then on. 404 where it is not
    # a purchase of the query's `user`, 409 where it is not paid.
    return "api-keys", 501


@blueprint.get("/api/tea")
def tea():
    # Lesson api-keys: what is sold, for `Authorization: Bearer KEY`: 401 without a key that is good now, 429 where nothing
    # is left of the period's QUOTA.
    return "api-keys", 501


@blueprint.get("/keys")
def show():
    # Lesson api-keys: for this machine alone. As JSON, of the query's `user`: how many `keys`, the calls `used`, the `quota`.
    return "api-keys", 501
