// What the shop's key must be allowed, page by page, and what a buyer is told where it is not.

export function show(_request, answer) {
  // Lesson restricted-keys: for this machine alone. As JSON, for each of `checkout`, `success` and `portal` the list of
  // the rights that POST /checkout, GET /success and POST /portal need, and no others: "customers:read" and so on.
  answer.status(501).send("restricted-keys");
}

export function lacking(error, _request, _answer, next) {
  // Lesson restricted-keys: where the key lacks a right (Stripe.errors.StripePermissionError), log why, and answer 503
  // with a page that names neither the key nor the right.
  next(error);
}
