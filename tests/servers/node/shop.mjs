// What every server in Node here shares: the ledger (a file of lines), what an event means for it, the purchase
// and the pages.
import { randomBytes } from "node:crypto";
import fs from "node:fs";

export const PORT = Number(process.env.PORT);
export const ORIGIN = `http://127.0.0.1:${PORT}`;
export const SECRET = process.env.STRIPE_WEBHOOK_SECRET;
const BASE = process.env.STRIPE_API_BASE;
const KEY = process.env.STRIPE_SECRET_KEY;
const FILE = "ledger.jsonl";
// A status gives way only to one of a higher rank: the order of arrival does not matter.
const RANK = { unpaid: 0, expired: 1, failed: 1, no_payment_required: 2, paid: 2 };
const MEANS = {
  "checkout.session.completed": null,
  "checkout.session.async_payment_succeeded": "paid",
  "checkout.session.async_payment_failed": "failed",
  "checkout.session.expired": "expired",
};
const REFUNDS = ["refund.created", "refund.updated", "refund.failed"];

const payments = new Map();
const refunds = new Map();

function apply(fact) {
  if (fact.refund) {
    const known = refunds.get(fact.refund);
    refunds.set(fact.refund, { ...fact, gone: fact.gone || known?.gone });
    return;
  }
  const known = payments.get(fact.session_id);
  if (!known || RANK[fact.status] > RANK[known.status]) payments.set(fact.session_id, fact);
}

// A fact is on the disk before the answer is 200.
function write(fact) {
  const file = fs.openSync(FILE, "a");
  fs.writeSync(file, JSON.stringify(fact) + "\n");
  fs.fsyncSync(file);
  fs.closeSync(file);
  apply(fact);
}

if (fs.existsSync(FILE)) {
  for (const line of fs.readFileSync(FILE, "utf8").split("\n")) if (line) apply(JSON.parse(line));
}

export function say(text) {
  console.log(text);
}

// The status that a delivery is answered with.
export function receive(genuine, header, body) {
  let event;
  try {
    event = genuine(header, body);
  } catch (error) {
    say(`refused: ${error.message.replaceAll("\n", " ")}`);
    return 400;
  }
  if (event.object === "event" && !event.livemode) take(event);
  return 200;
}

function take(event) {
  const thing = event.data.object;
  if (event.type in MEANS && thing.amount_total !== null) {
    book(event, thing, MEANS[event.type] ?? thing.payment_status);
  } else if (REFUNDS.includes(event.type)) {
    const gone = ["failed", "canceled"].includes(thing.status);
    write({ refund: thing.id, payment_intent: thing.payment_intent, amount: thing.amount, gone });
  }
}

function book(event, session, status) {
  const amount = session.amount_total;
  write({
    session_id: session.id,
    amount,
    currency: session.currency,
    status,
    created: session.created,
    updated: event.created,
    payment_intent: session.payment_intent,
    event_id: event.id,
  });
  say(`${event.id} ${session.id} ${amount} ${session.currency} ${status}`);
}

function standing(row) {
  if (row.status !== "paid") return row.status;
  let back = 0;
  for (const it of refunds.values()) if (it.payment_intent === row.payment_intent && !it.gone) back += it.amount;
  if (back === 0) return row.status;
  return back >= row.amount ? "refunded" : "partially_refunded";
}

export function ledger() {
  return JSON.stringify({ rows: [...payments.values()].map((row) => ({ ...row, status: standing(row) })) });
}

// The address of the page where a purchase is paid for.
export async function buy(form) {
  const line = "line_items[0]";
  const wish = new URLSearchParams({
    mode: "payment",
    success_url: `${ORIGIN}/success?session_id={CHECKOUT_SESSION_ID}`,
    cancel_url: `${ORIGIN}/cancel`,
    [`${line}[quantity]`]: "1",
    [`${line}[price_data][currency]`]: "jpy",
    [`${line}[price_data][unit_amount]`]: "500",
    [`${line}[price_data][product_data][name]`]: "Green tea",
  });
  const headers = { Authorization: `Bearer ${KEY}` };
  if (form?.order) headers["Idempotency-Key"] = `order-${form.order}`;
  const answer = await fetch(`${BASE}/v1/checkout/sessions`, { method: "POST", body: wish, headers });
  if (!answer.ok) throw new Error(`no session: ${answer.status}`);
  return (await answer.json()).url;
}

// A page's text, or undefined where there is none.
export function page(path) {
  const order = randomBytes(8).toString("hex");
  return {
    "/":
      '<!doctype html><meta charset="utf-8"><title>Tea</title><h1>Hello, tea</h1>' +
      `<form method="post" action="/checkout"><input type="hidden" name="order" value="${order}">` +
      "<button>Buy</button></form>",
    "/success": '<!doctype html><meta charset="utf-8"><h1>Thank you</h1><a href="/">Back</a>',
    "/cancel": '<!doctype html><meta charset="utf-8"><h1>Nothing was charged</h1><a href="/">Back</a>',
  }[path];
}

export function local(host) {
  return ["127.0.0.1", "localhost"].includes((host ?? "").split(":")[0]);
}
