// Credits that are bought: an order for each purchase, made once, and worth what its money is worth now.

import Stripe from "stripe";
import * as buyer from "./buyer.js";
import { CURRENCY, NAME, PRICE, stripe } from "./checkout.js";
import * as ledger from "./ledger.js";
import * as machine from "./machine.js";

// What one purchase gives.
const CREDITS = 10;

export const SCHEMA = `
CREATE TABLE IF NOT EXISTS credit_orders (
    session_id TEXT PRIMARY KEY,
    user       TEXT NOT NULL,
    credits    INTEGER NOT NULL
);
`;

export function note(db, whose, session) {
  db.prepare("INSERT INTO credit_orders VALUES (?, ?, ?) ON CONFLICT DO NOTHING").run(session, whose, CREDITS);
}

// The user's own orders.
export function orders(db, whose) {
  return db.prepare("SELECT session_id, credits FROM credit_orders WHERE user = ?").all(whose);
}

export async function begin(request, answer) {
  const whose = buyer.user(request);
  if (!whose) {
    answer.status(400).send("user");
    return;
  }
  const coupon = request.body?.coupon;
  const price = { currency: CURRENCY, unit_amount: PRICE, product_data: { name: NAME } };
  try {
    const session = await stripe.checkout.sessions.create({
      mode: "payment",
      line_items: [{ price_data: price, quantity: 1 }],
      client_reference_id: whose,
      success_url: `${buyer.shop(request)}/success?session_id={CHECKOUT_SESSION_ID}`,
      cancel_url: `${buyer.shop(request)}/cancel`,
      ...(coupon ? { discounts: [{ coupon: String(coupon) }] } : {}),
    });
    // Written before anybody can pay: whoever comes first then, event or browser, finds the order.
    ledger.noteCredits(whose, session.id);
    console.log("session", session.id, "for", CREDITS, "credits");
    answer.redirect(303, session.url);
  } catch (error) {
    if (!(error instanceof Stripe.errors.StripeInvalidRequestError)) {
      throw error;
    }
    answer.status(409).json({ error: error.code });
  }
}

// What of an order's credits is paid for: the money has to have come, and to have stayed.
function left(row, credits) {
  const came = ["paid", "partially_refunded", "refunded", "no_payment_required"];
  if (!row || !came.includes(row.status)) {
    return 0;
  }
  const stayed = Math.max(row.amount - row.refunded - row.disputed, 0);
  return row.amount === 0 ? credits : Math.floor((credits * stayed) / row.amount);
}

// Added up from the ledger each time: nothing is counted that could be counted twice.
function creditsOf(whose) {
  const rows = new Map(ledger.rows().map((row) => [row.session_id, row]));
  const own = ledger.creditOrders(whose);
  return own.reduce((sum, it) => sum + left(rows.get(it.session_id), it.credits), 0);
}

export function show(request, answer) {
  if (!machine.isThis(request)) {
    answer.status(403).send("not for you");
    return;
  }
  const whose = buyer.user(request);
  if (!whose) {
    answer.status(400).send("user");
    return;
  }
  answer.json({ credits: creditsOf(whose) });
}

// How the user's own purchase stands. It gives nothing: whoever has the address can ask.
export async function verify(request, answer) {
  const whose = buyer.user(request) ?? "";
  const name = String(request.query.session_id ?? "");
  if (!ledger.creditOrders(whose).some((it) => it.session_id === name)) {
    answer.status(404).json({ error: "no such order" });
    return;
  }
  const session = await stripe.checkout.sessions.retrieve(name);
  answer.json({ status: session.payment_status, credits: creditsOf(whose) });
}
