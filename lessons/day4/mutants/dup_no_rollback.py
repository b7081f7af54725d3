"""It catches the repeated event and leaves its transaction open, and with it the lock."""

import healthy

import sqlite3

import ledger
import settings

left_open = []


def record(event, fact):
    db = sqlite3.connect(settings.LEDGER_DB, timeout=0.5, isolation_level=None, check_same_thread=False)
    left_open.append(db)
    db.execute("BEGIN IMMEDIATE")
    try:
        db.execute("INSERT INTO events VALUES (?, ?)", (event["id"], event["type"]))
    except sqlite3.IntegrityError:
        return False
    db.row_factory = sqlite3.Row
    if isinstance(fact, ledger.Payment):
        ledger.keep_payment(db, fact, event["id"])
    else:
        ledger.keep_refund(db, fact)
    db.execute("COMMIT")
    return True


ledger.record = record
healthy.serve()
