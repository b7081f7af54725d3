"""It counts what was paid by events: an invoice that is told of twice is booked twice."""

import uuid
from dataclasses import replace

import healthy

import subscription

of = subscription.of


def anew(kind, thing):
    fact = of(kind, thing)
    return replace(fact, invoice=str(uuid.uuid4())) if isinstance(fact, subscription.Paid) else fact


subscription.of = anew
healthy.serve()
