// Payments on a form of the shop's own: the buyer's page confirms them, and events say what became of them.

import Stripe from "stripe";
import { CURRENCY, PRICE, stripe } from "./checkout.js";
import * as ledger from "./ledger.js";
import * as machine from "./machine.js";
import * as pages from "./pages.js";

export const SCHEMA = `
CREATE TABLE IF NOT EXISTS paid_orders (
    payment_intent TEXT PRIMARY KEY,
    number         TEXT NOT NULL,
    amount         INTEGER NOT NULL
);
`;

// What an event says of an order, null where it is about something else. A step of the bank's is no money yet, and a
// declined card no end.
export function of(kind, thing) {
  const order = thing.metadata?.order;
  if (kind !== "payment_intent.succeeded" || !order) {
    return null;
  }
  return { kind: "came", paymentIntent: thing.id, order, amount: thing.amount_received };
}

// Writes it down. What comes twice or late changes nothing.
export function keep(db, fact) {
  db.prepare("INSERT INTO paid_orders VALUES (?, ?, ?) ON CONFLICT DO NOTHING").run(
    fact.paymentIntent,
    fact.order,
    fact.amount,
  );
}

export function came(db, order) {
  return db
    .prepare("SELECT count(*) AS count, coalesce(sum(amount), 0) AS amount FROM paid_orders WHERE number = ?")
    .get(order);
}

// The order's number, as the form or the query says it; null where that is none.
function number(request) {
  const given = String(request.body?.order ?? request.query?.order ?? "");
  return /^[A-Za-z0-9-]{8,64}$/.test(given) ? given : null;
}

// The price is the shop's own. Under one number there is one payment, however often the button is pressed.
export async function begin(request, answer) {
  const order = number(request);
  if (!order) {
    answer.status(400).send("order");
    return;
  }
  try {
    const intent = await stripe.paymentIntents.create(
      {
        amount: PRICE,
        currency: CURRENCY,
        automatic_payment_methods: { enabled: true },
        metadata: { order },
      },
      { idempotencyKey: `intent-${order}` },
    );
    answer.json({ payment_intent: intent.id, client_secret: intent.client_secret });
  } catch (error) {
    if (!(error instanceof Stripe.errors.StripeError)) {
      throw error;
    }
    console.error("ERROR no payment:", error.type, error.statusCode, error.code);
    answer.status(502).json({ error: "try again later" });
  }
}

const TEXTS = { succeeded: "The payment has arrived.", processing: "We wait for your bank." };

// Where the buyer's browser comes back to. The address proves nothing: Stripe is asked, and nothing follows.
export async function back(request, answer) {
  const name = String(request.query.payment_intent ?? "");
  if (!/^pi_[A-Za-z0-9_]+$/.test(name)) {
    answer.status(400).send("payment_intent");
    return;
  }
  let intent;
  try {
    intent = await stripe.paymentIntents.retrieve(name);
  } catch (error) {
    if (error.statusCode !== 404) {
      throw error;
    }
    answer.status(404).send("no such payment");
    return;
  }
  const text = TEXTS[intent.status] ?? "The payment is not complete.";
  answer.send(pages.page("Your payment", `<p>${text}</p><p><a href="/">Back to the shop</a></p>`));
}

export function order(request, answer) {
  if (!machine.isThis(request)) {
    answer.status(403).send("not for you");
    return;
  }
  const asked = number(request);
  if (!asked) {
    answer.status(400).send("order");
    return;
  }
  const { count, amount } = ledger.order(asked);
  answer.json({ status: count > 0 ? "paid" : "unpaid", amount });
}
