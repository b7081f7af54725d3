"""It books what each event of a refund says, as if each were another refund."""

import healthy

import ledger

record = ledger.record


def each(event, fact):
    if isinstance(fact, ledger.Refund):
        source = f"{fact.source} {event['id']}"
        fact = ledger.Refund(source, fact.payment_intent, fact.amount, "sent")
    return record(event, fact)


ledger.record = each
healthy.serve()
