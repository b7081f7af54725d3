"""It looks at the first v1 signature only and refuses events while the secret is being replaced."""

import healthy

import webhook

genuine = webhook.genuine


def first(body, signature):
    items = (signature or "").split(",")
    signatures = [item for item in items if item.startswith("v1=")]
    return genuine(body, ",".join([item for item in items if item not in signatures[1:]]))


webhook.genuine = first
healthy.serve()
