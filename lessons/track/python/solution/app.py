"""The shop: its front page, what it logs, and the parts that it is put together from."""

import hmac
import logging
import sys
import uuid

from flask import Flask, abort, jsonify, request
from werkzeug.exceptions import HTTPException

import apikey
import cards
import checkout
import credit
import creem
import dispute
import intent
import ledger
import live
import machine
import pages
import portal
import refund
import rights
import settings
import subscription
import users
import webhook

log = logging.getLogger("shop")


def create() -> Flask:
    logging.basicConfig(
        stream=sys.stdout, level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s"
    )
    logging.getLogger("stripe").setLevel(logging.WARNING)
    app = Flask(__name__)
    # No event of Stripe's comes near it. What is larger is refused unread, which a sender may see as a reset.
    app.config["MAX_CONTENT_LENGTH"] = 4 * 1024 * 1024
    app.register_blueprint(apikey.blueprint)
    app.register_blueprint(cards.blueprint)
    app.register_blueprint(checkout.blueprint)
    app.register_blueprint(credit.blueprint)
    app.register_blueprint(creem.blueprint)
    app.register_blueprint(dispute.blueprint)
    app.register_blueprint(intent.blueprint)
    app.register_blueprint(live.blueprint)
    app.register_blueprint(pages.blueprint)
    app.register_blueprint(portal.blueprint)
    app.register_blueprint(refund.blueprint)
    app.register_blueprint(rights.blueprint)
    app.register_blueprint(subscription.blueprint)
    app.register_blueprint(users.blueprint)
    app.register_blueprint(webhook.blueprint)
    app.add_url_rule("/", view_func=front_page)
    app.add_url_rule("/config", view_func=config)
    app.add_url_rule("/ledger", view_func=show_ledger)
    app.register_error_handler(Exception, failed)
    app.after_request(note)
    ledger.prepare()
    log.info("the shop is ready")
    return app


def front_page():
    # The number of this view becomes the idempotency key of the purchase: a double click buys once.
    answer = pages.page(
        "Hello, tea shop",
        f'<p>{pages.escape(checkout.NAME)}, {pages.money(checkout.PRICE, checkout.CURRENCY)}</p>'
        '<form action="/checkout" method="post">'
        f'<input type="hidden" name="order" value="{uuid.uuid4()}">'
        "<button>Buy</button></form>",
    )
    answer.headers["Cache-Control"] = "no-store"
    return answer


def config():
    """What a browser may know: never more than the publishable key."""
    known = settings.PUBLISHABLE_KEY
    return jsonify(publishableKey=known if known.startswith("pk_") else None)


def show_ledger():
    if settings.LEDGER_TOKEN:
        given = request.headers.get("Authorization", "").encode()
        if not hmac.compare_digest(given, f"Bearer {settings.LEDGER_TOKEN}".encode()):
            abort(401)
    elif not machine.is_this():
        abort(403)
    return jsonify(rows=ledger.rows())


def failed(error: Exception):
    """Refusals keep their status; everything else is the shop's own fault and says so with 500."""
    if isinstance(error, HTTPException):
        return error
    log.exception("%s %s failed", request.method, request.path)
    return pages.page("Something went wrong", "<p>It is our fault. Please try again.</p>", 500)


def note(answer):
    # The address as it came, still percent-encoded: nobody can write lines of their own into the log.
    address = request.environ.get("RAW_URI") or request.path
    log.info("%s %s %s", request.method, address, answer.status_code)
    return answer


app = create()

if __name__ == "__main__":
    app.run(host="127.0.0.1", port=settings.PORT, threaded=True)
