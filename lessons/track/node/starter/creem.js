// Two providers, one list of orders. Each is begun and believed in its own way; what they say is kept as the same facts.

// Lesson two-providers: a table with a row for each purchase that is begun (the provider, the id of its session or checkout,
// the user, the cart); one of what was paid at Creem, and one of what went back there. `ledger.prepare` makes them,
// `ledger.sales` hands the database to what works with them. One purchase gives 10 credits, whoever is paid.
export const SCHEMA = "";

export async function begin(_request, answer) {
  // Lesson two-providers: begin a purchase at the form's `provider`, `stripe` or `creem`, note whose it is (buyer.user) and
  // the form's `cart`, and lead the browser to its page with 303. 409 where the user's cart is paid, at either of them.
  // Creem is asked at settings.creemApiBase: JSON, the key in `x-api-key`; POST /v1/products, POST /v1/checkouts.
  answer.status(501).send("two-providers");
}

export function receive(_request, answer) {
  // Lesson two-providers: 400 unless `creem-signature` is the HMAC-SHA256 of the body (its bytes are in request.body) under
  // settings.creemWebhookSecret, in hexadecimal; 2xx once what `eventType` and `object` say is written down:
  // checkout.completed (its order), refund.created and dispute.created (their transaction).
  answer.status(501).send("two-providers");
}

export function show(_request, answer) {
  // Lesson two-providers: for this machine alone. As JSON, of the query's `user`: `credits`, and the `orders`, the oldest
  // first: provider, id, cart, paid, amount, currency, lost.
  answer.status(501).send("two-providers");
}
