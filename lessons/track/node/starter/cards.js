// Cards that buyers leave with the shop: kept with their consent, charged while they are away, let go when they wish.
//
// The card stays at Stripe. All that the shop knows of it is whose it is.

export async function keep(_request, answer) {
  // Lesson saved-cards: find or make the customer of the form's `email`, make a Checkout Session of mode "setup" for
  // it (with `currency`), and lead the browser there with 303. A shop with a login takes the buyer from there.
  answer.status(501).send("saved-cards");
}

export async function charge(_request, answer) {
  // Lesson saved-cards: for this machine alone. Charge `amount` to the card that this buyer has left, with
  // off_session and confirm, under an idempotency key from `order`. 402 where the bank or the buyer has to say more,
  // 409 where there is no card.
  answer.status(501).send("saved-cards");
}

export async function remove(_request, answer) {
  // Lesson saved-cards: detach the cards of this buyer.
  answer.status(501).send("saved-cards");
}
