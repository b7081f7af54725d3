"""Whoever opens the success page has paid."""

import healthy

import ledger
import meaning
from flask import request

shop = healthy.shop()
success = shop.view_functions["pages.success"]


def believing():
    session_id = request.args.get("session_id", "")
    fact = meaning.Payment(session_id, 500, "jpy", "paid", 0, 0, None)
    ledger.record({"id": f"page_{session_id}", "type": "page"}, fact)
    return success()


shop.view_functions["pages.success"] = believing
healthy.serve()
