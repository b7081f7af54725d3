// The ledger: a file that only gathers facts. Each is kept once, whatever comes twice, late or together.

export function prepare() {
  // Day 4: make the file (settings.ledgerDb) and its tables where they are lacking: one row for each session,
  // each event id once, room for refunds.
}

// Writes a fact down for good; false where this event has been here before.
export function record(_event, _fact) {
  // Day 4: in one transaction: keep the event's id, then the fact. A status only moves on, never back. What
  // fails is rolled back and thrown, so that the event comes again.
  return true;
}

export function rows() {
  // Day 4: session_id, amount, currency, status, created, updated, payment_intent, event_id.
  return [];
}
