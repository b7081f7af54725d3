"""Where something fails it shows the buyer its own inside."""

import traceback

import healthy

import pages
import stripe
from flask import abort, make_response

find = pages.find


def shown(session_id):
    try:
        return find(session_id)
    except stripe.StripeError:
        abort(make_response(f"<pre>{traceback.format_exc()}</pre>", 500))


pages.find = shown
healthy.serve()
