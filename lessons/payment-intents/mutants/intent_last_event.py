"""What was told last is what is true: a decline that is told of late takes a payment back."""

from dataclasses import dataclass

import healthy

import intent

of, keep = intent.of, intent.keep


@dataclass(frozen=True)
class Declined:
    payment_intent: str


def note(kind, thing):
    return Declined(thing["id"]) if kind == "payment_intent.payment_failed" else of(kind, thing)


def write(db, fact):
    if isinstance(fact, Declined):
        db.execute("DELETE FROM paid_orders WHERE payment_intent = ?", (fact.payment_intent,))
    else:
        keep(db, fact)


intent.of, intent.keep = note, write
healthy.serve()
