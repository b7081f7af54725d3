"""It compares only the first digits of a signature."""

import healthy

import webhook

genuine = webhook.genuine


def carelessly(body, signature):
    import hashlib
    import hmac

    import settings

    parts = dict(part.split("=", 1) for part in (signature or "").split(",") if "=" in part)
    signed = parts.get("t", "").encode() + b"." + body
    digits = hmac.new(settings.WEBHOOK_SECRET.encode(), signed, hashlib.sha256).hexdigest()
    if parts.get("v1", "")[:8] == digits[:8]:
        signature = f"t={parts['t']},v1={digits}"
    return genuine(body, signature)


webhook.genuine = carelessly
healthy.serve()
