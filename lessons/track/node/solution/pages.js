// What a buyer reads. The pages after Checkout tell how the purchase stands; they never decide it.

import Stripe from "stripe";
import { stripe } from "./checkout.js";

const ZERO_DECIMAL = new Set(
  "bif clp djf gnf jpy kmf krw mga pyg rwf ugx vnd vuv xaf xof xpf".split(" "),
);
const THREE_DECIMAL = new Set("bhd jod kwd omr tnd".split(" "));
const HOME = '<p><a href="/">Back to the shop</a></p>';

export function escape(text) {
  const signs = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };
  return String(text).replace(/[&<>"']/g, (sign) => signs[sign]);
}

// A whole page; `title` is escaped here, `body` is HTML already.
export function page(title, body) {
  const heading = escape(title);
  return (
    '<!doctype html><html lang="en"><meta charset="utf-8">' +
    '<meta name="viewport" content="width=device-width">' +
    `<title>${heading}</title><h1>${heading}</h1>${body}</html>`
  );
}

// An amount in the currency's smallest unit, as people write it; digits are moved, nothing is divided.
export function money(amount, currency) {
  const places = ZERO_DECIMAL.has(currency) ? 0 : THREE_DECIMAL.has(currency) ? 3 : 2;
  const digits = String(amount).padStart(places + 1, "0");
  const cut = digits.length - places;
  const whole = digits.slice(0, cut).replace(/\B(?=(\d{3})+$)/g, ",");
  const text = places ? `${whole}.${digits.slice(cut)}` : whole;
  return currency === "jpy" ? `¥${text}` : `${text} ${currency.toUpperCase()}`;
}

export async function success(request, answer) {
  let session;
  try {
    session = await find(String(request.query.session_id ?? ""));
  } catch (error) {
    if (!(error instanceof Stripe.errors.StripeError)) {
      throw error;
    }
    console.error("ERROR no answer about a session:", error.type, error.statusCode, error.code);
    const body = `<p>We cannot see your purchase just now.</p>${HOME}`;
    answer.status(503).send(page("One moment", body));
    return;
  }
  if (!session) {
    const body = `<p>There is nothing to show here.</p>${HOME}`;
    answer.status(404).send(page("No such purchase", body));
    return;
  }
  const amount = money(session.amount_total ?? 0, session.currency ?? "jpy");
  const number = `<p>${amount} · ${escape(session.id)}</p>${HOME}`;
  if (session.status !== "complete") {
    answer.send(page("Not paid yet", `<p>The payment is not complete.</p>${number}`));
  } else if (session.payment_status === "unpaid") {
    const words = "<p>We send the tea once the money has arrived.</p>";
    answer.send(page("Almost there", words + number));
  } else {
    answer.send(page("Thank you", `<p>The payment has arrived.</p>${number}`));
  }
}

export function cancel(_request, answer) {
  const words = "<p>You came back without paying. Nothing was charged.</p>";
  answer.send(page("Not bought", words + HOME));
}

// The session as Stripe has it, null where there is none of this id.
async function find(id) {
  if (!id.startsWith("cs_")) {
    return null;
  }
  try {
    return await stripe.checkout.sessions.retrieve(id);
  } catch (error) {
    if (error instanceof Stripe.errors.StripeInvalidRequestError) {
      return null;
    }
    throw error;
  }
}
