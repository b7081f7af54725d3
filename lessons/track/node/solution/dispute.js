// Disputes: what the buyer's bank has taken, what it gave back, what that cost, and the one answer to it.

import Stripe from "stripe";
import { NAME, stripe } from "./checkout.js";
import * as machine from "./machine.js";

export const SCHEMA = `
CREATE TABLE IF NOT EXISTS disputes (
    id             TEXT PRIMARY KEY,
    payment_intent TEXT NOT NULL,
    taken          INTEGER NOT NULL,
    back           INTEGER NOT NULL,
    fee            INTEGER NOT NULL
);
`;

// What an event says of a dispute, null where it is about something else. Each of its numbers only grows.
export function of(kind, thing) {
  if (!kind.startsWith("charge.dispute.") || !thing.payment_intent) {
    return null;
  }
  const moved = thing.balance_transactions ?? [];
  const taken = moved.some((one) => one.amount < 0) || ["won", "lost"].includes(thing.status);
  const back = moved.some((one) => one.amount > 0) || thing.status === "won";
  return {
    kind: "dispute",
    id: thing.id,
    paymentIntent: thing.payment_intent,
    taken: taken || kind.endsWith("funds_withdrawn") ? thing.amount : 0,
    back: back || kind.endsWith("funds_reinstated") ? thing.amount : 0,
    fee: moved.reduce((sum, one) => sum + one.fee, 0),
  };
}

// Writes it down. An older event that comes late takes nothing back.
export function keep(db, fact) {
  db.prepare(
    "INSERT INTO disputes (id, payment_intent, taken, back, fee) VALUES (?, ?, ?, ?, ?)" +
      " ON CONFLICT (id) DO UPDATE SET taken = max(taken, excluded.taken)," +
      " back = max(back, excluded.back), fee = max(fee, excluded.fee)",
  ).run(fact.id, fact.paymentIntent, fact.taken, fact.back, fact.fee);
}

// By payment: what disputes hold of it, and what they cost.
export function held(db) {
  const rows = db
    .prepare(
      "SELECT payment_intent, sum(taken - back) AS held, sum(fee) AS fee FROM disputes GROUP BY payment_intent",
    )
    .all();
  return new Map(rows.map((row) => [row.payment_intent, row]));
}

export async function respond(request, answer) {
  if (!machine.isThis(request)) {
    answer.status(403).send("not for you");
    return;
  }
  try {
    const dispute = await stripe.disputes.retrieve(String(request.body?.dispute ?? ""));
    // What was sent cannot be added to, and after its time nobody reads it.
    if (!dispute.status.endsWith("needs_response")) {
      answer.status(409).json({ error: "nothing is asked", status: dispute.status });
      return;
    }
    const sent = await stripe.disputes.update(
      dispute.id,
      { evidence: { product_description: NAME }, submit: true },
      { idempotencyKey: `evidence-${dispute.id}` },
    );
    console.log("evidence for", sent.id, sent.status);
    answer.json({ dispute: sent.id, status: sent.status });
  } catch (error) {
    if (!(error instanceof Stripe.errors.StripeError) || !(error.statusCode < 500)) {
      throw error;
    }
    answer.status(409).json({ error: error.code ?? "refused" });
  }
}
