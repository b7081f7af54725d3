// Where Stripe tells what happened. Only genuine events come in, and 2xx means: it is written down.
//
// The answer decides what Stripe does next. 400 is for what can never be accepted. A failure of the shop's
// own must become 500, so that the event comes again.

import { stripe } from "./checkout.js";
import * as ledger from "./ledger.js";
import * as meaning from "./meaning.js";
import * as settings from "./settings.js";

export function receive(request, answer) {
  let event;
  let fact;
  try {
    event = genuine(request.body, request.get("stripe-signature"));
    fact = meaning.of(event);
  } catch (error) {
    console.warn("WARNING refused an event:", String(error.message).split("\n")[0]);
    answer.status(400).send("not a genuine event");
    return;
  }
  const label = `${event.id} ${event.type}`;
  if (Boolean(event.livemode) !== settings.live) {
    console.warn("WARNING", label, "left alone: it is of the other mode than the key");
  } else if (!fact) {
    console.log(label, "means nothing for the ledger");
  } else if (ledger.record(event, fact)) {
    console.log(label, "recorded:", meaning.say(fact));
  } else {
    console.log(label, "is already recorded");
  }
  answer.sendStatus(200);
}

// The event, if its signature fits the very bytes that came and is at most five minutes old.
function genuine(body, signature) {
  const bytes = Buffer.isBuffer(body) ? body : Buffer.alloc(0);
  return stripe.webhooks.constructEvent(bytes, signature, settings.webhookSecret);
}
