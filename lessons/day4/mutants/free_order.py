"""It takes an amount of zero for none."""

import healthy

import meaning

payment = meaning.payment


def if_any(session, status, at):
    return payment(session, status, at) if session.get("amount_total") else None


meaning.payment = if_any
healthy.serve()
