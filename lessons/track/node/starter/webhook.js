// Where Stripe tells what happened. Only genuine events come in, and 2xx means: it is written down.
//
// The answer decides what Stripe does next. 400 is for what can never be accepted. A failure of the shop's
// own must become 500, so that the event comes again.

export function receive(_request, answer) {
  // Day 3: believe an event only if the SDK's constructEvent does (request.body holds the bytes as they
  // came), answer 400 otherwise; ask meaning.of() what it means, leave alone what is of the other mode than
  // the key, let ledger.record() write the rest down, write a line with the ids and the amount, and answer
  // 200 only then.
  answer.status(501).send("day 3");
}
