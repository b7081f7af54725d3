"""A declined card closes the order: the next card is charged, and the order stays unpaid."""

import healthy

import intent

failed, of = set(), intent.of


def close(kind, thing):
    if kind == "payment_intent.payment_failed":
        failed.add(thing["id"])
    fact = of(kind, thing)
    return None if fact and fact.payment_intent in failed else fact


intent.of = close
healthy.serve()
