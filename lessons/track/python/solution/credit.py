"""Credits that are bought: an order for each purchase, made once, and worth what its money is worth now."""

import logging

import stripe
from flask import Blueprint, abort, jsonify, redirect, request

import buyer
import checkout
import machine

log = logging.getLogger("shop")
blueprint = Blueprint("credit", __name__)

# What one purchase gives.
CREDITS = 10

SCHEMA = """
CREATE TABLE IF NOT EXISTS credit_orders (
    session_id TEXT PRIMARY KEY,
    user       TEXT NOT NULL,
    credits    INTEGER NOT NULL
);
"""


@blueprint.post("/credits/buy")
def begin():
    import ledger  # which asks this file for its tables

    whose, coupon = buyer.user(), request.form.get("coupon")
    discount = {"discounts": [{"coupon": coupon}]} if coupon else {}
    try:
        session = checkout.client.v1.checkout.sessions.create(
            {
                "mode": "payment",
                "line_items": [checkout.line_item()],
                "client_reference_id": whose,
                "success_url": f"{buyer.shop()}/success?session_id={{CHECKOUT_SESSION_ID}}",
                "cancel_url": f"{buyer.shop()}/cancel",
                **discount,
            }
        )
    except stripe.InvalidRequestError as error:
        return jsonify(error=error.code), 409
    # Written before anybody can pay: whoever comes first then, event or browser, finds the order.
    with ledger.opened() as db:
        db.execute(
            "INSERT INTO credit_orders VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
            (session.id, whose, CREDITS),
        )
    log.info("session %s for %s credits", session.id, CREDITS)
    return redirect(session.url, code=303)


def orders(whose: str) -> dict[str, int]:
    """The user's own orders: what each gives."""
    import ledger

    with ledger.opened() as db:
        query = "SELECT session_id, credits FROM credit_orders WHERE user = ?"
        return {row["session_id"]: row["credits"] for row in db.execute(query, (whose,))}


def left(row: dict | None, credits: int) -> int:
    """What of an order's credits is paid for: the money has to have come, and to have stayed."""
    came = ("paid", "partially_refunded", "refunded", "no_payment_required")
    if row is None or row["status"] not in came:
        return 0
    stayed = max(row["amount"] - row["refunded"] - row["disputed"], 0)
    return credits * stayed // row["amount"] if row["amount"] else credits


def credits_of(whose: str) -> int:
    """Added up from the ledger each time: nothing is counted that could be counted twice."""
    import ledger

    rows = {row["session_id"]: row for row in ledger.rows()}
    return sum(left(rows.get(session), credits) for session, credits in orders(whose).items())


@blueprint.get("/credits")
def show():
    if not machine.is_this():
        abort(403)
    return jsonify(credits=credits_of(buyer.user()))


@blueprint.get("/credits/verify")
def verify():
    """How the user's own purchase stands. It gives nothing: whoever has the address can ask."""
    whose, name = buyer.user(), request.args.get("session_id", "")
    if name not in orders(whose):
        abort(404)
    session = checkout.client.v1.checkout.sessions.retrieve(name)
    return jsonify(status=session.payment_status, credits=credits_of(whose))
