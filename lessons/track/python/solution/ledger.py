"""The ledger: a file that only gathers facts. Each is kept once, whatever comes twice, late or together."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager

import apikey
import credit
import creem
import dispute
import intent
import refund
import settings
import subscription
import users
from meaning import Payment, Refund

SCHEMA = """
CREATE TABLE IF NOT EXISTS events (
    id   TEXT PRIMARY KEY,
    type TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS payments (
    session_id     TEXT PRIMARY KEY,
    amount         INTEGER NOT NULL,
    currency       TEXT NOT NULL,
    status         TEXT NOT NULL,
    created        INTEGER NOT NULL, -- seconds since 1970, UTC: no zone to mistake
    updated        INTEGER NOT NULL,
    payment_intent TEXT,
    event_id       TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS refunds (
    source         TEXT PRIMARY KEY,
    payment_intent TEXT NOT NULL,
    amount         INTEGER NOT NULL,
    state          TEXT NOT NULL
);
-- A charge's total does not say which refunds it counts: once one of them has failed, they count themselves.
CREATE VIEW IF NOT EXISTS sent_back AS
SELECT payment_intent,
       CASE WHEN sum(state = 'returned') > 0 THEN sum(amount * (state = 'sent'))
            ELSE max(sum(amount * (state = 'sent')), sum(amount * (state = 'total')))
       END AS amount
FROM refunds GROUP BY payment_intent;
CREATE VIEW IF NOT EXISTS ledger AS
SELECT session_id, payments.amount, currency,
       CASE WHEN status <> 'paid' OR coalesce(sent_back.amount, 0) = 0 THEN status
            WHEN sent_back.amount >= payments.amount THEN 'refunded'
            ELSE 'partially_refunded'
       END AS status,
       created, updated, payments.payment_intent, event_id, coalesce(sent_back.amount, 0) AS refunded
FROM payments LEFT JOIN sent_back USING (payment_intent);
"""

# A status only ever gives way to one further to the right, so the order of arrival does not matter.
LADDER = ("unpaid", "expired", "failed", "no_payment_required", "paid")


@contextmanager
def opened() -> Iterator[sqlite3.Connection]:
    """A connection of its own for each use: connections and cursors are not for sharing."""
    with closing(sqlite3.connect(settings.LEDGER_DB, timeout=10, isolation_level=None)) as db:
        db.row_factory = sqlite3.Row
        db.execute("PRAGMA synchronous = FULL")
        yield db


@contextmanager
def transaction(db: sqlite3.Connection) -> Iterator[None]:
    """All of it or nothing; a lock is never left behind."""
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
        db.execute("COMMIT")
    except BaseException:
        db.execute("ROLLBACK")
        raise


def prepare() -> None:
    with opened() as db:
        db.execute("PRAGMA journal_mode = WAL")
        parts = (apikey, credit, creem, dispute, intent, subscription, users)
        tables = "".join(part.SCHEMA for part in parts)
        db.executescript(f"BEGIN IMMEDIATE; {SCHEMA} {tables} COMMIT;")


def record(event: dict, fact: object) -> bool:
    """Writes a fact down for good; False where this event has been here before."""
    with opened() as db, transaction(db):
        new = db.execute(
            "INSERT INTO events (id, type) VALUES (?, ?) ON CONFLICT DO NOTHING",
            (event["id"], event["type"]),
        )
        if new.rowcount == 0:
            return False
        if isinstance(fact, Payment):
            keep_payment(db, fact, event["id"])
        elif isinstance(fact, Refund):
            keep_refund(db, fact)
        else:
            keeper(event["type"]).keep(db, fact)
        return True


def keeper(kind: str):
    """The part of the shop that keeps what such an event says."""
    parts = {"charge.dispute.": dispute, "customer.deleted": users, "payment_intent.": intent}
    return next((part for begins, part in parts.items() if kind.startswith(begins)), subscription)


def keep_payment(db: sqlite3.Connection, fact: Payment, event_id: str) -> None:
    known = db.execute(
        "SELECT status FROM payments WHERE session_id = ?", (fact.session_id,)
    ).fetchone()
    if known is not None and LADDER.index(known["status"]) >= LADDER.index(fact.status):
        return
    db.execute(
        "INSERT OR REPLACE INTO payments VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (
            fact.session_id,
            fact.amount,
            fact.currency,
            fact.status,
            fact.created,
            fact.updated,
            fact.payment_intent,
            event_id,
        ),
    )


def keep_refund(db: sqlite3.Connection, fact: Refund) -> None:
    db.execute(
        "INSERT INTO refunds (source, payment_intent, amount, state) VALUES (?, ?, ?, ?)"
        " ON CONFLICT (source) DO UPDATE SET"
        " amount = max(amount, excluded.amount),"
        " state = CASE state WHEN 'returned' THEN state ELSE excluded.state END",
        (fact.source, fact.payment_intent, fact.amount, fact.state),
    )


def rows() -> list[dict]:
    with opened() as db:
        found = [dict(row) for row in db.execute("SELECT * FROM ledger ORDER BY created, session_id")]
        held = dispute.held(db)
    for row in found:
        row["disputed"], row["dispute_fee"] = held.get(row["payment_intent"], (0, 0))
        row["goods"] = refund.goods(row)
    return found
