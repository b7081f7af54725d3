"""It passes amounts through floating-point numbers."""

import healthy

import dataclasses

import meaning

payment = meaning.payment


def in_floats(session, status, at):
    fact = payment(session, status, at)
    if fact is not None and fact.currency != "jpy":
        fact = dataclasses.replace(fact, amount=int(fact.amount / 100 * 100))
    return fact


meaning.payment = in_floats
healthy.serve()
