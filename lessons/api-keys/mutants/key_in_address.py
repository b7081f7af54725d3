"""It also takes the key from the address, where every log and every proxy on the way reads it."""

import healthy

import apikey
from flask import request

tea = apikey.tea


def from_anywhere():
    if "key" in request.args:
        request.environ["HTTP_AUTHORIZATION"] = f"Bearer {request.args['key']}"
    return tea()


healthy.shop().view_functions["apikey.tea"] = from_anywhere
healthy.serve()
