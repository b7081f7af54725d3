// Subscriptions: begun on Stripe's page, paid period by period. Who has access follows from events, and only from them.

import * as buyer from "./buyer.js";
import { CURRENCY, stripe } from "./checkout.js";
import * as ledger from "./ledger.js";
import * as machine from "./machine.js";

const NAME = "Green tea, every month";
const PRICE = 900;

export const SCHEMA = `
CREATE TABLE IF NOT EXISTS invoices (
    id           TEXT PRIMARY KEY,
    customer     TEXT NOT NULL,
    subscription TEXT NOT NULL,
    amount       INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS ended (
    subscription TEXT PRIMARY KEY
);
`;

// What an event says of a subscription, null where it is about something else: a period that was paid for, the first
// one too; or that it is over, for good.
export function of(kind, thing) {
  if (kind === "customer.subscription.deleted") {
    return { kind: "ended", subscription: thing.id };
  }
  if (kind !== "invoice.paid") {
    return null;
  }
  // Up to 2025-03-31 an invoice said it itself.
  const subscription = thing.parent?.subscription_details?.subscription ?? thing.subscription;
  if (!subscription) {
    return null; // a bill for something else
  }
  return {
    kind: "period",
    invoice: thing.id,
    customer: thing.customer,
    subscription,
    amount: thing.amount_paid,
  };
}

// Writes it down. Both only add up: whatever comes twice or late changes nothing.
export function keep(db, fact) {
  if (fact.kind === "ended") {
    db.prepare("INSERT INTO ended VALUES (?) ON CONFLICT DO NOTHING").run(fact.subscription);
    return;
  }
  db.prepare("INSERT INTO invoices VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING").run(
    fact.invoice,
    fact.customer,
    fact.subscription,
    fact.amount,
  );
}

// How many invoices were paid, what they come to, and whether one is of a subscription that is not over.
export function standing(db, whose) {
  return db
    .prepare(
      "SELECT count(*) AS paid, coalesce(sum(amount), 0) AS total," +
        " coalesce(sum(subscription NOT IN (SELECT subscription FROM ended)), 0) AS open" +
        " FROM invoices WHERE customer = ?",
    )
    .get(whose);
}

// Whether a subscription runs at Stripe. One that waits for its first payment does not count yet.
async function isSubscribed(whose) {
  const found = await stripe.subscriptions.list({ customer: whose });
  return found.data.some((it) => !["incomplete", "incomplete_expired", "canceled"].includes(it.status));
}

export async function begin(request, answer) {
  const email = buyer.email(request);
  if (!email) {
    answer.status(400).send("email");
    return;
  }
  const whose = await buyer.welcome(email);
  if (await isSubscribed(whose)) {
    answer.status(409).json({ error: "subscribed already" });
    return;
  }
  const price = {
    currency: CURRENCY,
    unit_amount: PRICE,
    recurring: { interval: "month" },
    product_data: { name: NAME },
  };
  const session = await stripe.checkout.sessions.create({
    mode: "subscription",
    customer: whose,
    line_items: [{ price_data: price, quantity: 1 }],
    success_url: `${buyer.shop(request)}/success?session_id={CHECKOUT_SESSION_ID}`,
    cancel_url: `${buyer.shop(request)}/cancel`,
  });
  console.log("session", session.id, "for a subscription");
  answer.redirect(303, session.url);
}

export async function access(request, answer) {
  if (!machine.isThis(request)) {
    answer.status(403).send("not for you");
    return;
  }
  const email = buyer.email(request);
  if (!email) {
    answer.status(400).send("email");
    return;
  }
  const { paid, total, open } = ledger.subscriber((await buyer.customer(email)) ?? "");
  answer.json({ access: open > 0, paid, total });
}
