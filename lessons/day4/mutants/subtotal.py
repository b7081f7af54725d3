"""It writes down the price before discount, shipping and tax."""

import healthy

import dataclasses

import meaning

payment = meaning.payment


def before_all(session, status, at):
    fact = payment(session, status, at)
    return fact and dataclasses.replace(fact, amount=session["amount_subtotal"])


meaning.payment = before_all
healthy.serve()
