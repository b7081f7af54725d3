"""It takes a dispute that is closed for one that was won."""

import dataclasses

import healthy

import dispute

of = dispute.of


def closed(kind, thing):
    fact = of(kind, thing)
    return dataclasses.replace(fact, back=fact.taken) if kind == "charge.dispute.closed" else fact


dispute.of = closed
healthy.serve()
