"""Any secret that the shop has is good for any provider: whoever has Stripe's can speak for Creem."""

import hashlib
import hmac

import healthy

import creem
import settings
from flask import request

is_genuine = creem.is_genuine


def either(body):
    own = hmac.new(settings.WEBHOOK_SECRET.encode(), body, hashlib.sha256).hexdigest()
    return is_genuine(body) or hmac.compare_digest(request.headers.get("creem-signature", ""), own)


creem.is_genuine = either
healthy.serve()
