"""Leads buyers to the page on which they see to their subscription themselves: card, invoices, the end of it."""

import logging

from flask import Blueprint, jsonify, redirect

import buyer
import checkout

log = logging.getLogger("shop")
blueprint = Blueprint("portal", __name__)


@blueprint.post("/portal")
def enter():
    """A session for this buyer's own customer. Whoever has its address is let in, so each click makes a new one."""
    whose = buyer.customer(buyer.email())
    if whose is None:
        return jsonify(error="no customer"), 404
    session = checkout.client.v1.billing_portal.sessions.create(
        {"customer": whose, "return_url": f"{buyer.shop()}/"}
    )
    log.info("the portal is open for %s", whose)
    return redirect(session.url, code=303)
