// Begins a purchase: makes a Checkout Session and sends the buyer to its page.

import { randomUUID } from "node:crypto";
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

// The number that the front page gave this purchase; a new one where there is none.
function orderNumber(form) {
  const given = String(form?.order ?? "").toLowerCase();
  return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(given) ? given : randomUUID();
}

export async function begin(request, answer) {
  const order = orderNumber(request.body);
  const shop = settings.publicUrl || `${request.protocol}://${request.get("host")}`;
  let session;
  try {
    session = await stripe.checkout.sessions.create(
      {
        mode: "payment",
        line_items: [
          {
            price_data: { currency: CURRENCY, unit_amount: PRICE, product_data: { name: NAME } },
            quantity: 1,
          },
        ],
        success_url: `${shop}/success?session_id={CHECKOUT_SESSION_ID}`,
        cancel_url: `${shop}/cancel`,
        client_reference_id: order,
      },
      { idempotencyKey: `checkout-${order}` },
    );
  } catch (error) {
    if (!(error instanceof Stripe.errors.StripeError)) {
      throw error;
    }
    console.error("ERROR no session:", error.type, error.statusCode, error.code);
    const page = pages.page("The checkout is closed", "<p>Please try again later.</p>");
    answer.status(502).send(page);
    return;
  }
  console.log("session", session.id, "for", session.amount_total, session.currency);
  answer.redirect(303, session.url);
}
