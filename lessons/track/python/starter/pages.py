"""What a buyer reads. The pages after Checkout tell how the purchase stands; they never decide it."""

from flask import Blueprint, make_response
from markupsafe import escape

ZERO_DECIMAL = frozenset(
    "bif clp djf gnf jpy kmf krw mga pyg rwf ugx vnd vuv xaf xof xpf".split()
)
THREE_DECIMAL = frozenset("bhd jod kwd omr tnd".split())

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


@blueprint.get("/success")
def success():
    # Day 2: look the session up by its id (checkout.client), say whether it is paid, still awaited or open,
    # answer 404 where there is none, and lead back to the shop. Reading a page never pays anything.
    return page("Done", "<p>Day 2</p>")


@blueprint.get("/cancel")
def cancel():
    # Day 2: say that nothing was charged, and lead back to the shop.
    return page("Done", "<p>Day 2</p>")
