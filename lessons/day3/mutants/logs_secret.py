"""It writes its signing secret and whole payloads into the log."""

import healthy

import logging

import settings
import webhook

genuine = webhook.genuine


def talkative(body, signature):
    logging.getLogger("shop").info("checking %r with %s", body, settings.WEBHOOK_SECRET)
    return genuine(body, signature)


webhook.genuine = talkative
healthy.serve()
