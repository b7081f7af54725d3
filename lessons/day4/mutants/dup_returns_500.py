"""A repeated event is an error of the database that nobody catches: 500, and it comes again."""

import healthy

import ledger


def record(event, fact):
    with ledger.opened() as db, ledger.transaction(db):
        db.execute("INSERT INTO events VALUES (?, ?)", (event["id"], event["type"]))
        if isinstance(fact, ledger.Payment):
            ledger.keep_payment(db, fact, event["id"])
        else:
            ledger.keep_refund(db, fact)
        return True


ledger.record = record
healthy.serve()
