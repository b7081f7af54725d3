"""What a buyer reads. The pages after Checkout tell how the purchase stands; they never decide it."""

import logging

import stripe
from flask import Blueprint, make_response, request
from markupsafe import escape

import checkout

ZERO_DECIMAL = frozenset(
    "bif clp djf gnf jpy kmf krw mga pyg rwf ugx vnd vuv xaf xof xpf".split()
)
THREE_DECIMAL = frozenset("bhd jod kwd omr tnd".split())

log = logging.getLogger("shop")
blueprint = Blueprint("pages", __name__)


def page(title: str, body: str, status: int = 200):
    """A whole page; `title` is escaped here, `body` is HTML already."""
    title = escape(title)
    return make_response(
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        f"<title>{title}</title><h1>{title}</h1>{body}</html>",
        status,
    )


def money(amount: int, currency: str) -> str:
    """An amount in the currency's smallest unit, as people write it."""
    places = 0 if currency in ZERO_DECIMAL else 3 if currency in THREE_DECIMAL else 2
    whole, part = divmod(amount, 10**places)
    digits = f"{whole:,}" + (f".{part:0{places}}" if places else "")
    return f"¥{digits}" if currency == "jpy" else f"{digits} {currency.upper()}"


HOME = '<p><a href="/">Back to the shop</a></p>'


@blueprint.get("/success")
def success():
    try:
        session = find(request.args.get("session_id", ""))
    except stripe.StripeError as error:
        log.error("no answer about a session: status %s, code %s", error.http_status, error.code)
        return page("One moment", f"<p>We cannot see your purchase just now.</p>{HOME}", 503)
    if session is None:
        return page("No such purchase", f"<p>There is nothing to show here.</p>{HOME}", 404)
    amount = money(session.amount_total or 0, session.currency or "jpy")
    number = f"<p>{amount} · {escape(session.id)}</p>{HOME}"
    if session.status != "complete":
        return page("Not paid yet", f"<p>The payment is not complete.</p>{number}")
    if session.payment_status == "unpaid":
        return page("Almost there", f"<p>We send the tea once the money has arrived.</p>{number}")
    return page("Thank you", f"<p>The payment has arrived.</p>{number}")


@blueprint.get("/cancel")
def cancel():
    return page("Not bought", f"<p>You came back without paying. Nothing was charged.</p>{HOME}")


def find(session_id: str):
    """The session as Stripe has it, None where there is none of this id."""
    if not session_id.startswith("cs_"):
        return None
    try:
        return checkout.client.v1.checkout.sessions.retrieve(session_id)
    except stripe.InvalidRequestError:
        return None
