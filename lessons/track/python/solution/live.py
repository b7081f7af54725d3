"""What a shop needs that is open to the world: it answers to its own address alone, and says whether it can work."""

import logging
import sqlite3
from contextlib import closing
from urllib.parse import urlsplit

from flask import Blueprint, abort, request

import settings

log = logging.getLogger("shop")
blueprint = Blueprint("live", __name__)

HERE = ("127.0.0.1", "localhost", "::1")
OURS = (urlsplit(settings.PUBLIC_URL).hostname or HERE[0], *HERE)


@blueprint.before_app_request
def guard():
    """Refuses what names another address, and forms that another site's page sends."""
    # Whoever chooses the Host would choose where buyers come back to.
    if urlsplit(f"//{request.host}").hostname not in OURS:
        log.warning("refused: the Host is not the shop's; is PUBLIC_URL right?")
        abort(400)
    # Events are signed, and come from no page.
    if request.method == "POST" and request.path.rstrip("/") != "/webhook" and is_foreign():
        abort(403)


def is_foreign() -> bool:
    origin = request.headers.get("Origin")
    other = origin is not None and urlsplit(origin).netloc != request.host
    return other or request.headers.get("Sec-Fetch-Site", "none") not in ("none", "same-origin")


@blueprint.get("/readyz")
def ready():
    """Whether events could be written down now. What it tells is for whoever watches: no reason, no path."""
    try:
        with closing(sqlite3.connect(settings.LEDGER_DB, timeout=1, isolation_level=None)) as db:
            db.execute("BEGIN IMMEDIATE")
            db.execute("ROLLBACK")
    except sqlite3.Error as error:
        log.error("the ledger cannot be written to: %s", error)
        return "not ready", 503
    return "ready"
