"""What was told last of a dispute is what is true."""

import healthy

import dispute


def last(db, fact):
    db.execute(
        "INSERT OR REPLACE INTO disputes (id, payment_intent, taken, back, fee) VALUES (?, ?, ?, ?, ?)",
        (fact.id, fact.payment_intent, fact.taken, fact.back, fact.fee),
    )


dispute.keep = last
healthy.serve()
