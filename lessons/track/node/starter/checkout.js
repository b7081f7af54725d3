// Begins a purchase: makes a Checkout Session and sends the buyer to its page.

import Stripe from "stripe";
import * as pages from "./pages.js";
import * as settings from "./settings.js";

// The shop's own prices. In yen the smallest unit is the yen itself: 500 is ¥500.
export const NAME = "Green tea, 100 g";
export const PRICE = 500;
export const CURRENCY = "jpy";

export const stripe = new Stripe(settings.secretKey, { ...where(settings.apiBase), timeout: 20_000 });

function where(base) {
  if (!base) {
    return {};
  }
  const { hostname, port, protocol } = new URL(base);
  const secure = protocol === "https:";
  return { host: hostname, port: port || (secure ? 443 : 80), protocol: secure ? "https" : "http" };
}

export async function begin(_request, answer) {
  // Day 1: make a Checkout Session with `stripe` (mode "payment", one line item, success_url with
  // {CHECKOUT_SESSION_ID}, cancel_url; the prices are the shop's own, whatever a form says) under an
  // idempotency key, and lead the browser to its `url` with 303.
  answer.status(501).send(pages.page("Not written yet", "<p>Day 1</p>"));
}
