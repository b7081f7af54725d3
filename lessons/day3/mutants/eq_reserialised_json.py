"""It verifies JSON that was parsed and written again, not the bytes that came."""

import healthy

import json

import webhook

genuine = webhook.genuine


def rewritten(body, signature):
    text = json.dumps(json.loads(body), indent=2, ensure_ascii=False)
    return genuine(text.encode(), signature)


webhook.genuine = rewritten
healthy.serve()
