"""What the shop's key must be allowed, page by page, and what a buyer is told where it is not.

A restricted key with these rights can sell, and open a portal. Whoever steals it can do no more.
"""

import logging

import stripe
from flask import Blueprint, abort, jsonify

import machine
import pages

log = logging.getLogger("shop")
blueprint = Blueprint("rights", __name__)

# Writing includes reading. A page that only looks needs no right to write.
NEEDED = {
    "checkout": ["checkout_sessions:write"],
    "success": ["checkout_sessions:read"],
    "portal": ["customers:read", "billing_portal_sessions:write"],
}


@blueprint.get("/rights")
def show():
    if not machine.is_this():
        abort(403)
    return jsonify(NEEDED)


@blueprint.app_errorhandler(stripe.PermissionError)
def lacking(error: stripe.PermissionError):
    """The message names the key and the right: it is for the log, and never for a buyer."""
    log.error("the key lacks a right: %s", str(error).partition("\n")[0])
    return pages.page("Closed", "<p>It is our fault. Please come back later.</p>", 503)
