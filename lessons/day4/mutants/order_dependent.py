"""What was delivered last is what is true."""

import healthy

import ledger


def keep_last(db, fact, event_id):
    values = (fact.session_id, fact.amount, fact.currency, fact.status, fact.created)
    more = (fact.updated, fact.payment_intent, event_id)
    db.execute("INSERT OR REPLACE INTO payments VALUES (?, ?, ?, ?, ?, ?, ?, ?)", values + more)


ledger.keep_payment = keep_last
healthy.serve()
