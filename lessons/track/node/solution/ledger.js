// The ledger: a file that only gathers facts. Each is kept once, whatever comes twice, late or together.

import Database from "libsql";
import * as apikey from "./apikey.js";
import * as credit from "./credit.js";
import * as creem from "./creem.js";
import * as dispute from "./dispute.js";
import * as intent from "./intent.js";
import * as refund from "./refund.js";
import * as settings from "./settings.js";
import * as subscription from "./subscription.js";
import * as users from "./users.js";

const SCHEMA = `
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
`;

// A status only ever gives way to one further to the right, so the order of arrival does not matter.
const LADDER = ["unpaid", "expired", "failed", "no_payment_required", "paid"];

// One connection is right here: Node runs one statement after the other, and none waits in between.
let db;

export function prepare() {
  db = new Database(settings.ledgerDb, { timeout: 10_000 });
  db.pragma("journal_mode = WAL");
  db.pragma("synchronous = FULL");
  const parts = [apikey, credit, creem, dispute, intent, subscription, users];
  transaction(() => db.exec(SCHEMA + parts.map((part) => part.SCHEMA).join("")));
}

// All of it or nothing; a lock is never left behind.
function transaction(work) {
  db.exec("BEGIN IMMEDIATE");
  try {
    const result = work();
    db.exec("COMMIT");
    return result;
  } catch (error) {
    db.exec("ROLLBACK");
    throw error;
  }
}

// Writes a fact down for good; false where this event has been here before.
export function record(event, fact) {
  return transaction(() => {
    const seen = db.prepare("SELECT 1 FROM events WHERE id = ?").get(event.id);
    if (seen) {
      return false;
    }
    db.prepare("INSERT INTO events (id, type) VALUES (?, ?)").run(event.id, event.type);
    if (fact.kind === "payment") {
      keepPayment(fact, event.id);
    } else if (fact.kind === "refund") {
      keepRefund(fact);
    } else {
      const keeper = { came: intent, dispute, gone: users }[fact.kind] ?? subscription;
      keeper.keep(db, fact);
    }
    return true;
  });
}

function keepPayment(fact, eventId) {
  const known = db.prepare("SELECT status FROM payments WHERE session_id = ?").get(fact.sessionId);
  if (known && LADDER.indexOf(known.status) >= LADDER.indexOf(fact.status)) {
    return;
  }
  db.prepare("INSERT OR REPLACE INTO payments VALUES (?, ?, ?, ?, ?, ?, ?, ?)").run(
    fact.sessionId,
    fact.amount,
    fact.currency,
    fact.status,
    fact.created,
    fact.updated,
    fact.paymentIntent,
    eventId,
  );
}

function keepRefund(fact) {
  db.prepare(
    "INSERT INTO refunds (source, payment_intent, amount, state) VALUES (?, ?, ?, ?)" +
      " ON CONFLICT (source) DO UPDATE SET" +
      " amount = max(amount, excluded.amount)," +
      " state = CASE state WHEN 'returned' THEN state ELSE excluded.state END",
  ).run(fact.source, fact.paymentIntent, fact.amount, fact.state);
}

export const subscriber = (whose) => subscription.standing(db, whose);
export const noteCredits = (whose, session) => credit.note(db, whose, session);
// What keys and sales keep of their own, in one transaction.
export const keys = (work) => transaction(() => work(db));
export const sales = (work) => transaction(() => work(db));
export const creditOrders = (whose) => credit.orders(db, whose);
export const order = (number) => intent.came(db, number);
export const user = (whose) => users.known(db, whose);
export const noteUser = (whose, customer) => users.note(db, whose, customer);

export function rows() {
  const disputes = dispute.held(db);
  const found = db.prepare("SELECT * FROM ledger ORDER BY created, session_id").all();
  return found.map((kept) => {
    const { held = 0, fee = 0 } = disputes.get(kept.payment_intent) ?? {};
    const row = { ...kept, disputed: held, dispute_fee: fee };
    return { ...row, goods: refund.goods(row) };
  });
}
