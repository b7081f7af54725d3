"""With a test key it books events of live mode, and the other way round."""

import healthy

import settings
import webhook

genuine = webhook.genuine


def any_mode(body, signature):
    event = genuine(body, signature)
    return {**event, "livemode": settings.LIVE} if isinstance(event, dict) else event


webhook.genuine = any_mode
healthy.serve()
