"""The webhook makes a key for what was bought, and so does the page: whoever bought has two."""

import healthy

import apikey
import ledger

record = ledger.record


def both(event, fact):
    bought = event["data"]["object"]
    if event["type"] == "checkout.session.completed" and bought.get("subscription"):
        with ledger.opened() as db:
            note = (
                "INSERT INTO key_orders SELECT ?, user FROM key_orders WHERE session_id = ?"
                " ON CONFLICT DO NOTHING"
            )
            db.execute(note, (f"{bought['id']}-webhook", bought["id"]))
        apikey.issue(f"{bought['id']}-webhook", bought["subscription"])
    return record(event, fact)


ledger.record = both
healthy.serve()
