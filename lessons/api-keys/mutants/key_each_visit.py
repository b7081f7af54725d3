"""The page after the purchase makes another key each time that it is opened."""

import itertools

import healthy

import apikey
import ledger

issue, visits = apikey.issue, itertools.count()


def another(session, paid_for):
    visit = f"{session}-{next(visits)}"
    with ledger.opened() as db:
        note = "INSERT INTO key_orders SELECT ?, user FROM key_orders WHERE session_id = ?"
        db.execute(note, (visit, session))
    return issue(visit, paid_for)


apikey.issue = another
healthy.serve()
