"""It knows an event again by its id alone: two events about one session are two rows."""

import healthy

import ledger

ledger.SCHEMA = ledger.SCHEMA.replace("session_id     TEXT PRIMARY KEY", "session_id     TEXT")


def add(db, fact, event_id):
    rows = db.execute("SELECT status FROM payments WHERE session_id = ?", (fact.session_id,))
    known = {row["status"] for row in rows}
    if not known or fact.status in known:
        values = (fact.session_id, fact.amount, fact.currency, fact.status, fact.created)
        more = (fact.updated, fact.payment_intent, event_id)
        db.execute("INSERT INTO payments VALUES (?, ?, ?, ?, ?, ?, ?, ?)", values + more)
    elif fact.status != "unpaid":
        moved = "UPDATE payments SET status = ? WHERE session_id = ?"
        db.execute(moved, (fact.status, fact.session_id))


ledger.keep_payment = add
healthy.serve()
