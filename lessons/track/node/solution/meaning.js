// What an event means for the ledger. Nothing here depends on which event came before.

import * as dispute from "./dispute.js";
import * as intent from "./intent.js";
import * as subscription from "./subscription.js";
import * as users from "./users.js";

// The parts of the shop that know what else an event may say.
const PARTS = [dispute, intent, subscription, users];

// The fact in an event, null where there is none; throws where it is not an event at all.
export function of(event) {
  const thing = event?.data?.object;
  const whole = event?.object === "event" && event.id && event.type && Number.isInteger(event.created);
  if (!whole || typeof thing !== "object" || thing === null) {
    throw new Error("an event without its object");
  }
  const intent = thing.payment_intent;
  switch (event.type) {
    case "checkout.session.completed":
    case "checkout.session.async_payment_succeeded":
      // Complete is not paid: konbini and bank transfers are paid days later.
      return payment(thing, thing.payment_status, event.created);
    case "checkout.session.async_payment_failed":
      return payment(thing, "failed", event.created);
    case "checkout.session.expired":
      return payment(thing, "expired", event.created);
    case "charge.refunded":
      return intent ? refund(thing, thing.amount_refunded, "total") : null;
    case "refund.created":
    case "refund.updated":
    case "refund.failed":
    case "charge.refund.updated": {
      const ended = thing.status === "failed" || thing.status === "canceled";
      return intent ? refund(thing, thing.amount, ended ? "returned" : "sent") : null;
    }
    default:
      return PARTS.reduce((fact, part) => fact ?? part.of(event.type, thing), null);
  }
}

// How a Checkout Session stands.
function payment(session, status, at) {
  if (session.amount_total === null || session.amount_total === undefined) {
    return null; // it saves a card; no money is its subject
  }
  const fact = {
    kind: "payment",
    sessionId: session.id,
    amount: session.amount_total,
    currency: session.currency,
    status,
    created: session.created,
    updated: at,
    paymentIntent: session.payment_intent ?? null,
  };
  return complete(fact, [fact.amount, fact.created], [fact.sessionId, fact.currency, fact.status]);
}

// Money that went back: `total` of a charge so far, or one refund that was `sent` or `returned`.
function refund(thing, amount, state) {
  const fact = { kind: "refund", source: thing.id, paymentIntent: thing.payment_intent, amount, state };
  return complete(fact, [amount], [fact.source, fact.paymentIntent]);
}

function complete(fact, numbers, texts) {
  if (!numbers.every(Number.isInteger) || !texts.every((text) => typeof text === "string")) {
    throw new Error("the object lacks what the ledger needs");
  }
  return fact;
}

export function say(fact) {
  if (fact.kind === "dispute") {
    return `${fact.id} taken ${fact.taken} back ${fact.back} fee ${fact.fee}`;
  }
  if (fact.kind === "came") {
    return `${fact.amount} came for ${fact.order}`;
  }
  if (fact.kind === "gone") {
    return `${fact.customer} is gone`;
  }
  if (fact.kind === "ended") {
    return `${fact.subscription} ended`;
  }
  if (fact.kind === "period") {
    return `${fact.invoice} paid ${fact.amount}`;
  }
  return fact.kind === "payment"
    ? `${fact.sessionId} ${fact.amount} ${fact.currency} ${fact.status}`
    : `${fact.source} ${fact.amount} ${fact.state}`;
}
