"""It writes dollars down in place of cents."""

import healthy

import dataclasses

import meaning

payment = meaning.payment


def in_dollars(session, status, at):
    fact = payment(session, status, at)
    if fact is not None and fact.currency != "jpy":
        fact = dataclasses.replace(fact, amount=fact.amount // 100)
    return fact


meaning.payment = in_dollars
healthy.serve()
