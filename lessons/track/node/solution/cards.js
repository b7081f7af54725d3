// Cards that buyers leave with the shop: kept with their consent, charged while they are away, let go when they wish.
//
// The card stays at Stripe. All that the shop knows of it is whose it is.

import { randomUUID } from "node:crypto";
import Stripe from "stripe";
import * as buyer from "./buyer.js";
import { CURRENCY, stripe } from "./checkout.js";
import * as machine from "./machine.js";

// The cards of this customer and of nobody else, the newest first.
async function kept(whose) {
  const found = await stripe.customers.listPaymentMethods(whose, { type: "card" });
  return found.data.map((it) => it.id);
}

// Leads the buyer to a page that says what the card is kept for. A purchase alone keeps none.
export async function keep(request, answer) {
  const email = buyer.email(request);
  if (!email) {
    answer.status(400).send("email");
    return;
  }
  const session = await stripe.checkout.sessions.create({
    mode: "setup",
    currency: CURRENCY,
    customer: await buyer.welcome(email),
    success_url: `${buyer.shop(request)}/success?session_id={CHECKOUT_SESSION_ID}`,
    cancel_url: `${buyer.shop(request)}/cancel`,
  });
  answer.redirect(303, session.url);
}

export async function charge(request, answer) {
  if (!machine.isThis(request)) {
    answer.status(403).send("not for you");
    return;
  }
  const { amount = "", order = randomUUID() } = request.body ?? {};
  const email = buyer.email(request);
  if (!email || !/^[0-9]+$/.test(amount)) {
    answer.status(400).send("email, amount");
    return;
  }
  const whose = await buyer.customer(email);
  const cards = whose ? await kept(whose) : [];
  if (cards.length === 0) {
    answer.status(409).json({ error: "no card" });
    return;
  }
  try {
    const intent = await stripe.paymentIntents.create(
      {
        amount: Number(amount),
        currency: CURRENCY,
        customer: whose,
        payment_method: cards[0],
        off_session: true,
        confirm: true,
      },
      { idempotencyKey: `charge-${order}` },
    );
    const status = intent.status === "succeeded" ? 200 : 402;
    answer.status(status).json({ payment_intent: intent.id, status: intent.status });
  } catch (error) {
    if (!(error instanceof Stripe.errors.StripeError) || !(error.statusCode < 500)) {
      throw error;
    }
    // authentication_required: only the buyer can pay now. Write to them; do not try again.
    console.warn("WARNING not charged:", error.code);
    const refused = error instanceof Stripe.errors.StripeCardError;
    answer.status(refused ? 402 : 409).json({ error: error.code });
  }
}

export async function remove(request, answer) {
  const email = buyer.email(request);
  const whose = email ? await buyer.customer(email) : null;
  const cards = whose ? await kept(whose) : [];
  for (const card of cards) {
    await stripe.paymentMethods.detach(card);
  }
  answer.json({ removed: cards.length });
}
