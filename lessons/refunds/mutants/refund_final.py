"""It never hears that a refund has failed: what was sent is gone for good."""

import healthy

import meaning

read = meaning.read


def sent(kind, at, thing):
    if thing.get("object") == "refund" and thing["status"] in ("failed", "canceled"):
        return None
    return read(kind, at, thing)


meaning.read = sent
healthy.serve()
