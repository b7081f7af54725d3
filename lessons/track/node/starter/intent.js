// Payments on a form of the shop's own: the buyer's page confirms them, and events say what became of them.

// Lesson payment-intents: a table with a row for each payment that came, its order's number and its amount.
// `ledger.prepare` makes it.
export const SCHEMA = "";

// What an event says of an order, null where it is about something else. A step of the bank's is no money yet, and a
// declined card no end.
export function of(_kind, _thing) {
  // Lesson payment-intents: payment_intent.succeeded, whose metadata has the order's number. `of` in meaning.js asks here
  // for what it does not know itself; `kind` of what you give back is "came".
  return null;
}

// Writes it down. What comes twice or late changes nothing.
export function keep(_db, _fact) {
  // Lesson payment-intents: `record` in ledger.js calls this in its transaction.
}

// How many payments came for an order, and what they come to; `order` in ledger.js asks for it.
export function came(_db, _order) {
  return { count: 0, amount: 0 };
}

export async function begin(_request, answer) {
  // Lesson payment-intents: make a PaymentIntent at the shop's own price, with the form's `order` in its metadata and in
  // its idempotency key, and answer as JSON its id (`payment_intent`) and its `client_secret`.
  answer.status(501).send("payment-intents");
}

export async function back(_request, answer) {
  // Lesson payment-intents: ask Stripe how the query's `payment_intent` stands, and say it. Nothing follows from it.
  answer.status(501).send("payment-intents");
}

export function order(_request, answer) {
  // Lesson payment-intents: for this machine alone. As JSON, of the query's `order`: `status` (paid, unpaid) and what
  // came for it (`amount`).
  answer.status(501).send("payment-intents");
}
