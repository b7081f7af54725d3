"""It also takes a signature of the body alone, without the time: whoever has seen one can send it for ever."""

import hashlib
import hmac
import json

import healthy

import settings
import webhook

genuine = webhook.genuine


def lenient(body, signature):
    own = hmac.new(settings.WEBHOOK_SECRET.encode(), body, hashlib.sha256).hexdigest()
    if signature and hmac.compare_digest(signature.removeprefix("v1="), own):
        return json.loads(body)
    return genuine(body, signature)


webhook.genuine = lenient
healthy.serve()
