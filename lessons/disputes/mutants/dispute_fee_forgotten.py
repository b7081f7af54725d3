"""It forgets that a dispute costs a fee, won or lost."""

import dataclasses

import healthy

import dispute

of = dispute.of


def free(kind, thing):
    fact = of(kind, thing)
    return dataclasses.replace(fact, fee=0) if fact else None


dispute.of = free
healthy.serve()
