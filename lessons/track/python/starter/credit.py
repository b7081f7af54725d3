"""Credits that are bought: an order for each purchase, made once, and worth what its money is worth now."""

from flask import Blueprint

blueprint = Blueprint("credit", __name__)

# What one purchase gives.
CREDITS = 10

# Lesson orders-and-credits: a table with a row for each Checkout Session that is begun for credits, and whose it is.
# `ledger.prepare` makes it.
SCHEMA = ""


@blueprint.post("/credits/buy")
def begin():
    # Lesson orders-and-credits: make a Checkout Session for the form's `user` (buyer.user, client_reference_id), with the
    # form's `coupon` among its discounts, note the order, and lead the browser there with 303. 4xx for a coupon that
    # Stripe does not know.
    return "orders-and-credits", 501


@blueprint.get("/credits")
def show():
    # Lesson orders-and-credits: for this machine alone. As JSON, of the query's `user`: `credits`, added up from the
    # ledger's rows of their orders. Money that has not come, or went back, is worth none.
    return "orders-and-credits", 501


@blueprint.get("/credits/verify")
def verify():
    # Lesson orders-and-credits: as JSON, how the query's `session_id` stands (`status`), and the user's `credits`. 404
    # where it is not an order of the query's `user`.
    return "orders-and-credits", 501
