"""The signature with the standard library alone."""

import hashlib
import hmac
import json
import time

import shop


def genuine(header, body):
    """The event; ValueError where its signature does not fit these bytes."""
    items = [item.split("=", 1) for item in (header or "").split(",") if "=" in item]
    at = next((value for name, value in items if name == "t"), "")
    if not at.isdigit():
        raise ValueError("no signature")
    if abs(time.time() - int(at)) > 300:
        raise ValueError("too old")
    wanted = hmac.new(shop.SECRET.encode(), at.encode() + b"." + body, hashlib.sha256).hexdigest()
    if not any(hmac.compare_digest(wanted.encode(), value.encode()) for name, value in items if name == "v1"):
        raise ValueError("another signature")
    return json.loads(body)
