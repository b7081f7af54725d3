// Disputes: what the buyer's bank has taken, what it gave back, what that cost, and the one answer to it.

// Lesson disputes: a table with a row for each dispute.
export const SCHEMA = "";

// What an event says of a dispute, null where it is about something else.
export function of(_kind, _thing) {
  // Lesson disputes: charge.dispute.*: how much was taken, how much came back, and the fees, all of which stand in the
  // object's `amount`, `status` and `balance_transactions`. They only grow.
  return null;
}

// Writes it down. An older event that comes late takes nothing back.
export function keep(_db, _fact) {}

// By payment: what disputes hold of it, and what they cost.
export function held(_db) {
  // Lesson disputes: payment_intent: { held, fee }.
  return new Map();
}

export async function respond(_request, answer) {
  // Lesson disputes: for this machine alone. Send what is known of the sale, with submit, where the form's `dispute`
  // still needs a response; answer 409 where it does not.
  answer.status(501).send("disputes");
}
