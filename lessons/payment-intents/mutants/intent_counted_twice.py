"""It adds up what it hears: an event that comes again is paid again."""

import healthy

import intent


def add(db, fact):
    db.execute(
        "INSERT INTO paid_orders VALUES (hex(randomblob(8)), ?, ?)", (fact.order, fact.amount)
    )


intent.keep = add
healthy.serve()
