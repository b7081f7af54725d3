"""What the shop's key must be allowed, page by page, and what a buyer is told where it is not."""

from flask import Blueprint

blueprint = Blueprint("rights", __name__)


@blueprint.get("/rights")
def show():
    # Lesson restricted-keys: for this machine alone. As JSON, for each of `checkout`, `success` and `portal` the list of
    # the rights that POST /checkout, GET /success and POST /portal need, and no others: "customers:read" and so on.
    return "restricted-keys", 501


# Lesson restricted-keys: where the key lacks a right (stripe.PermissionError), log why, and answer 503 with a page that
# names neither the key nor the right (blueprint.app_errorhandler).
