// Subscriptions: begun on Stripe's page, paid period by period. Who has access follows from events, and only from them.

// Lesson subscriptions: a table with a row for each invoice that was paid, and one for subscriptions that are over.
// `ledger.prepare` makes them.
export const SCHEMA = "";

// What an event says of a subscription, null where it is about something else.
export function of(_kind, _thing) {
  // Lesson subscriptions: invoice.paid (its subscription stands in parent.subscription_details) and
  // customer.subscription.deleted. `of` in meaning.js asks here for what it does not know itself.
  return null;
}

// Writes it down. Both only add up: whatever comes twice or late changes nothing.
export function keep(_db, _fact) {
  // Lesson subscriptions: `record` in ledger.js calls this in its transaction.
}

// How many invoices were paid, what they come to, and whether one is of a subscription that is not over.
export function standing(_db, _whose) {
  return { paid: 0, total: 0, open: 0 };
}

export async function begin(_request, answer) {
  // Lesson subscriptions: find or make the customer of the form's `email` (buyer.welcome). 409 where a subscription of
  // theirs runs. Else make a Checkout Session of mode "subscription" with this customer and a monthly price, and lead
  // the browser there with 303.
  answer.status(501).send("subscriptions");
}

export async function access(_request, answer) {
  // Lesson subscriptions: for this machine alone. As JSON, of the customer with the query's `email`: `access`, and how
  // many invoices were paid (`paid`) and what they come to (`total`).
  answer.status(501).send("subscriptions");
}
