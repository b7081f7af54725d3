// Whose customer a user is. A shop with a login takes the user from there, and never from a form.

// Lesson customers: a table with a row for each customer that the shop has made, and the user whose it is.
// `ledger.prepare` makes it.
export const SCHEMA = "";

// What an event says of a customer. Whose a new one is, no event says.
export function of(_kind, _thing) {
  // Lesson customers: customer.deleted. `of` in meaning.js asks here for what it does not know itself; `kind` of what you
  // give back is "gone".
  return null;
}

export function keep(_db, _fact) {
  // Lesson customers: `record` in ledger.js calls this in its transaction.
}

// The user's own customer, null where none was made yet; and how many there were. `user` in ledger.js asks for it.
export function known(_db, _user) {
  return { customer: null, before: 0 };
}

export function note(_db, _user, _customer) {
  // Lesson customers: `noteUser` in ledger.js calls this.
}

export async function enter(_request, answer) {
  // Lesson customers: find the customer of the form's `user` (ledger.user), or make one and keep it (ledger.noteUser);
  // tell Stripe the form's `email`. As JSON: `customer`.
  answer.status(501).send("customers");
}

export async function show(_request, answer) {
  // Lesson customers: for this machine alone. As JSON, of the query's `user`: `customer` and `cards`, each with `id`,
  // `brand`, `last4` and `default`. 404 where there is no customer.
  answer.status(501).send("customers");
}

export async function choose(_request, answer) {
  // Lesson customers: make the form's `card` the default_payment_method in the invoice_settings of the customer of the
  // form's `user`; 404 where it is not one of theirs.
  answer.status(501).send("customers");
}
