// Gives money back, and says which goods may be sent. What becomes of a refund is told by its events.

export async function giveBack(_request, answer) {
  // Lesson refunds: for this machine alone (machine.isThis). Find the payment_intent of the form's `session_id`, make
  // a refund (of `amount`, where there is one) under an idempotency key from `order`, and answer 4xx where that is not
  // possible. Nothing is booked here: the events do that.
  answer.status(501).send("refunds");
}

// Whether what was bought may be sent, as far as its money goes.
export function goods(_row) {
  // Lesson refunds: "hold" where the money is not there (any more), or a dispute holds it.
  return "send";
}
