"""The ledger: a file that only gathers facts. Each is kept once, whatever comes twice, late or together."""

from meaning import Payment, Refund

def prepare() -> None:
    """Makes the file and its tables where they are lacking."""
    # Day 4: one row for each session, each event id once, room for refunds.


def record(event: dict, fact: Payment | Refund) -> bool:
    """Writes a fact down for good; False where this event has been here before."""
    # Day 4: in one transaction, with a connection of its own: keep the event's id, then the fact. A status
    # only moves on, never back. What fails is rolled back and raised, so that the event comes again.
    return True


def rows() -> list[dict]:
    # Day 4: session_id, amount, currency, status, created, updated, payment_intent, event_id.
    return []
