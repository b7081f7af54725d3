"""It books what a dispute takes and never what it gives back."""

import dataclasses

import healthy

import dispute

of = dispute.of


def taken(kind, thing):
    fact = of(kind, thing)
    return dataclasses.replace(fact, back=0) if fact else None


dispute.of = taken
healthy.serve()
