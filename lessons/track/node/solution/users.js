// Whose customer a user is. A shop with a login takes the user from there, and never from a form.
//
// Stripe lets many customers have one address, and anybody with the key may make more of them. So the shop keeps itself
// which customer it has made for whom.

import Stripe from "stripe";
import * as buyer from "./buyer.js";
import { stripe } from "./checkout.js";
import * as ledger from "./ledger.js";
import * as machine from "./machine.js";

export const SCHEMA = `
CREATE TABLE IF NOT EXISTS customers (
    customer TEXT PRIMARY KEY,
    user     TEXT NOT NULL,
    gone     INTEGER NOT NULL DEFAULT 0
);
`;

// What an event says of a customer: that it was deleted, here or on the dashboard. Whose a new one is, no event says.
export function of(kind, thing) {
  return kind === "customer.deleted" ? { kind: "gone", customer: thing.id } : null;
}

export function keep(db, fact) {
  db.prepare("UPDATE customers SET gone = 1 WHERE customer = ?").run(fact.customer);
}

// The user's own customer, null where none was made yet; and how many there were.
export function known(db, user) {
  const rows = db.prepare("SELECT customer, gone FROM customers WHERE user = ?").all(user);
  return { customer: rows.find((row) => row.gone === 0)?.customer ?? null, before: rows.length };
}

export function note(db, user, customer) {
  db.prepare("INSERT INTO customers (customer, user) VALUES (?, ?) ON CONFLICT DO NOTHING").run(customer, user);
}

// Makes a customer. Two at once make the same: how many were before is part of the key.
async function create(whose, before) {
  const made = await stripe.customers.create(
    { metadata: { user: whose } },
    { idempotencyKey: `user-${whose}-${before}` },
  );
  ledger.noteUser(whose, made.id);
  console.log(made.id, "is the customer of", whose);
  return made.id;
}

export async function enter(request, answer) {
  const [whose, email] = [buyer.user(request), buyer.email(request)];
  if (!whose || !email) {
    answer.status(400).send("user, email");
    return;
  }
  const { customer, before } = ledger.user(whose);
  const own = customer ?? (await create(whose, before));
  await stripe.customers.update(own, { email });
  answer.json({ customer: own });
}

const cards = async (whose) =>
  (await stripe.customers.listPaymentMethods(whose, { type: "card" })).data;

export async function show(request, answer) {
  if (!machine.isThis(request)) {
    answer.status(403).send("not for you");
    return;
  }
  const own = ledger.user(buyer.user(request) ?? "").customer;
  if (!own) {
    answer.status(404).json({ error: "no customer" });
    return;
  }
  const usual = (await stripe.customers.retrieve(own)).invoice_settings.default_payment_method;
  const shown = (await cards(own)).map(({ id, card }) => ({
    id,
    brand: card.brand,
    last4: card.last4,
    default: id === usual,
  }));
  answer.json({ customer: own, cards: shown });
}

// Makes a card the one that invoices are paid with. Only one of the user's own.
export async function choose(request, answer) {
  const card = String(request.body?.card ?? "");
  const whose = buyer.user(request);
  if (!whose || !card) {
    answer.status(400).send("user, card");
    return;
  }
  const own = ledger.user(whose).customer;
  const theirs = own ? await cards(own) : [];
  if (!theirs.some((it) => it.id === card)) {
    answer.status(404).json({ error: "no such card" });
    return;
  }
  try {
    await stripe.customers.update(own, { invoice_settings: { default_payment_method: card } });
  } catch (error) {
    if (!(error instanceof Stripe.errors.StripeInvalidRequestError)) {
      throw error;
    }
    answer.status(409).json({ error: error.code });
    return;
  }
  answer.json({ customer: own, default: card });
}
