"""Whether a request comes from this machine: what the merchant alone may do is done from here."""

import re

from flask import request


def is_this() -> bool:
    # Anybody's page can let a name of its own point here (DNS rebinding); the Host then is that name.
    local = re.fullmatch(r"(127\.0\.0\.1|localhost|\[::1\])(:[0-9]+)?", request.host, re.IGNORECASE)
    # A form on anybody's page can be sent here too; browsers say so.
    foreign = request.headers.get("Sec-Fetch-Site", "none") not in ("none", "same-origin")
    return local is not None and not foreign and request.remote_addr in ("127.0.0.1", "::1")
