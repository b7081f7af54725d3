// Gives money back, and says which goods may be sent. What becomes of a refund is told by its events.

import { randomUUID } from "node:crypto";
import Stripe from "stripe";
import { stripe } from "./checkout.js";
import * as machine from "./machine.js";

export async function giveBack(request, answer) {
  if (!machine.isThis(request)) {
    answer.status(403).send("not for you");
    return;
  }
  const { session_id: id = "", amount = "", order = randomUUID() } = request.body ?? {};
  if (amount && !/^[0-9]+$/.test(amount)) {
    answer.status(400).send("amount");
    return;
  }
  try {
    const session = await stripe.checkout.sessions.retrieve(id);
    if (!session.payment_intent) {
      answer.status(409).json({ error: "not paid" });
      return;
    }
    const part = amount ? { amount: Number(amount) } : {};
    // The number of this click: pressed twice, the money goes back once.
    const refund = await stripe.refunds.create(
      { payment_intent: session.payment_intent, ...part },
      { idempotencyKey: `refund-${order}` },
    );
    console.log("refund", refund.id, "of", session.id);
    answer.json({ refund: refund.id, status: refund.status });
  } catch (error) {
    if (!(error instanceof Stripe.errors.StripeError) || !(error.statusCode < 500)) {
      throw error;
    }
    console.warn("WARNING no refund:", error.code);
    answer.status(409).json({ error: error.code ?? "refused" });
  }
}

// Whether what was bought may be sent, as far as its money goes.
export function goods(row) {
  const paid = ["paid", "partially_refunded", "no_payment_required"].includes(row.status);
  return paid && row.disputed === 0 ? "send" : "hold";
}
