"""Whatever is on its way it takes for money that came: a step of the bank's, an amount that is held."""

import healthy

import intent

of = intent.of


def early(kind, thing):
    under_way = ("requires_action", "processing", "requires_capture")
    if kind.startswith("payment_intent.") and thing["status"] in under_way:
        return intent.Came(thing["id"], thing["metadata"].get("order"), thing["amount"])
    return of(kind, thing)


intent.of = early
healthy.serve()
