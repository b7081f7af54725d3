// Credits that are bought: an order for each purchase, made once, and worth what its money is worth now.

// Lesson orders-and-credits: a table with a row for each Checkout Session that is begun for credits, and whose it is.
// `ledger.prepare` makes it.
export const SCHEMA = "";

export function note(_db, _whose, _session) {
  // Lesson orders-and-credits: `noteCredits` in ledger.js calls this.
}

// The user's own orders; `creditOrders` in ledger.js asks for it.
export function orders(_db, _whose) {
  return [];
}

export async function begin(_request, answer) {
  // Lesson orders-and-credits: make a Checkout Session for the form's `user` (buyer.user, client_reference_id), with the
  // form's `coupon` among its discounts, note the order (ledger.noteCredits), and lead the browser there with 303. 4xx for
  // a coupon that Stripe does not know.
  answer.status(501).send("orders-and-credits");
}

export function show(_request, answer) {
  // Lesson orders-and-credits: for this machine alone. As JSON, of the query's `user`: `credits`, added up from the
  // ledger's rows of their orders. Money that has not come, or went back, is worth none.
  answer.status(501).send("orders-and-credits");
}

export async function verify(_request, answer) {
  // Lesson orders-and-credits: as JSON, how the query's `session_id` stands (`status`), and the user's `credits`. 404
  // where it is not an order of the query's `user`.
  answer.status(501).send("orders-and-credits");
}
