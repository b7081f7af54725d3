// Two providers, one list of orders. Each is begun and believed in its own way; what they say is kept as the same facts.

import { createHmac, timingSafeEqual } from "node:crypto";
import * as buyer from "./buyer.js";
import { CURRENCY as YEN, NAME as TEA, PRICE as TEA_PRICE, stripe } from "./checkout.js";
import * as ledger from "./ledger.js";
import * as machine from "./machine.js";
import * as settings from "./settings.js";

// What one purchase gives, whoever is paid.
const CREDITS = 10;
// Creem takes euros and dollars, and its product says what it costs.
const NAME = "Ten credits";
const PRICE = 500;
const CURRENCY = "EUR";

export const SCHEMA = `
CREATE TABLE IF NOT EXISTS sales (
    provider TEXT NOT NULL,
    id       TEXT NOT NULL, -- the session of the one, the checkout of the other
    user     TEXT NOT NULL,
    cart     TEXT NOT NULL,
    PRIMARY KEY (provider, id)
);
CREATE TABLE IF NOT EXISTS creem_payments (
    checkout TEXT PRIMARY KEY,
    payment  TEXT NOT NULL, -- tran_…: what is given back is of one of these
    amount   INTEGER NOT NULL,
    currency TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS creem_losses (
    id      TEXT PRIMARY KEY, -- a refund or a dispute
    payment TEXT NOT NULL,
    amount  INTEGER NOT NULL
);
`;

// Asks Creem. Its key stands in a header of its own, its bodies are JSON.
async function call(method, path, body) {
  const headers = { "x-api-key": settings.creemApiKey, "content-type": "application/json" };
  const base = settings.creemApiBase || "https://test-api.creem.io";
  const answer = await fetch(base + path, { method, headers, body: body && JSON.stringify(body) });
  if (!answer.ok) {
    throw new Error(`Creem answers ${answer.status}`);
  }
  return answer.json();
}

// The product at Creem, made where there is none yet.
async function product() {
  const found = await call("GET", "/v1/products/search?page_size=100");
  const known = found.items.find((it) => it.name === NAME);
  const made = { name: NAME, price: PRICE, currency: CURRENCY, billing_type: "onetime" };
  return (known ?? (await call("POST", "/v1/products", made))).id;
}

async function atStripe(request, whose, cart) {
  const price = { currency: YEN, unit_amount: TEA_PRICE, product_data: { name: TEA } };
  return stripe.checkout.sessions.create({
    mode: "payment",
    line_items: [{ price_data: price, quantity: 1 }],
    client_reference_id: whose,
    metadata: { cart },
    success_url: `${buyer.shop(request)}/success?session_id={CHECKOUT_SESSION_ID}`,
    cancel_url: `${buyer.shop(request)}/cancel`,
  });
}

async function atCreem(request, whose, cart) {
  const made = await call("POST", "/v1/checkouts", {
    product_id: await product(),
    units: 1,
    success_url: `${buyer.shop(request)}/`,
    metadata: { user: whose, cart },
  });
  return { id: made.id, url: made.checkout_url };
}

export async function begin(request, answer) {
  const whose = buyer.user(request);
  const { provider, cart = "" } = request.body ?? {};
  const opens = { stripe: atStripe, creem: atCreem }[provider];
  if (!whose || !opens || !/^[A-Za-z0-9-]{1,64}$/.test(cart)) {
    answer.status(400).send("user, provider, cart");
    return;
  }
  // Paid, at whichever provider.
  if (orders(whose).some((it) => it.cart === cart && it.paid)) {
    answer.status(409).json({ error: "paid already" });
    return;
  }
  const { id, url } = await opens(request, whose, cart);
  // Written before anybody can pay: whose it is does not depend on what is typed on the payment page.
  const note = "INSERT INTO sales VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING";
  ledger.sales((db) => db.prepare(note).run(provider, id, whose, cart));
  console.log("order", id, "begun");
  answer.redirect(303, url);
}

export function receive(request, answer) {
  const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
  if (!isGenuine(body, request.get("creem-signature") ?? "")) {
    console.warn("WARNING refused an event of Creem's");
    answer.status(400).send("not a genuine event");
    return;
  }
  let event;
  try {
    event = JSON.parse(body.toString());
  } catch {
    answer.status(400).send("not an event");
    return;
  }
  ledger.sales((db) => keep(db, event.eventType, event.object));
  console.log(event.id, event.eventType, "of Creem's recorded");
  answer.sendStatus(200);
}

// Whether Creem's own secret signed the very bytes that came. Nothing in it says when.
function isGenuine(body, signature) {
  const expected = createHmac("sha256", settings.creemWebhookSecret).update(body).digest();
  const given = Buffer.from(signature, "hex");
  return settings.creemWebhookSecret !== "" && given.length === expected.length && timingSafeEqual(given, expected);
}

// An id, whether its object came along or not.
const named = (thing) => thing.id ?? thing;

// Writes down what an event says, under the id of what it is about: whatever comes twice changes nothing.
function keep(db, kind, thing) {
  const order = thing.order;
  if (kind === "checkout.completed" && order?.status === "paid") {
    // What was paid, and not what the product costs: a code may have taken something off.
    db.prepare("INSERT INTO creem_payments VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING").run(
      thing.id,
      named(order.transaction),
      order.amount_paid,
      order.currency.toLowerCase(),
    );
  }
  if (kind === "refund.created") {
    lose(db, thing, ["failed", "canceled"].includes(thing.status) ? 0 : thing.refund_amount);
  }
  if (kind === "dispute.created") {
    lose(db, thing, thing.amount);
  }
}

const lose = (db, thing, amount) =>
  db
    .prepare("INSERT INTO creem_losses VALUES (?, ?, ?) ON CONFLICT DO NOTHING")
    .run(thing.id, named(thing.transaction), amount);

// The user's orders, the oldest first, told alike whoever was paid.
function orders(whose) {
  const rows = new Map(ledger.rows().map((row) => [row.session_id, row]));
  return ledger.sales((db) => {
    const sold = db.prepare("SELECT * FROM sales WHERE user = ? ORDER BY rowid").all(whose);
    return sold.map(({ provider, id, cart }) => {
      const of = provider === "stripe" ? ofStripe(rows.get(id)) : ofCreem(db, id);
      return { provider, id, cart, paid: of !== null, ...(of ?? { amount: 0, currency: null, lost: 0 }) };
    });
  });
}

function ofStripe(row) {
  if (!["paid", "partially_refunded", "refunded"].includes(row?.status)) {
    return null;
  }
  return { amount: row.amount, currency: row.currency, lost: row.refunded + row.disputed };
}

function ofCreem(db, checkout) {
  const paid = db.prepare("SELECT * FROM creem_payments WHERE checkout = ?").get(checkout);
  if (!paid) {
    return null;
  }
  const back = "SELECT coalesce(sum(amount), 0) AS lost FROM creem_losses WHERE payment = ?";
  const { lost } = db.prepare(back).get(paid.payment);
  return { amount: paid.amount, currency: paid.currency, lost };
}

// What of an order's credits is paid for: in proportion, so that no currency is changed into another.
const left = ({ paid, amount, lost }) =>
  paid && amount > 0 ? Math.floor((CREDITS * Math.max(amount - lost, 0)) / amount) : 0;

export function show(request, answer) {
  if (!machine.isThis(request)) {
    answer.status(403).send("not for you");
    return;
  }
  const found = orders(buyer.user(request) ?? "");
  answer.json({ credits: found.reduce((sum, it) => sum + left(it), 0), orders: found });
}
