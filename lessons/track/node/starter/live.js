// What a shop needs that is open to the world: it answers to its own address alone, and says whether it can work.

export function guard(_request, _answer, next) {
  // Lesson going-live: refuse with 4xx a Host that is neither that of settings.publicUrl nor this machine, and every POST
  // but /webhook whose Origin or Sec-Fetch-Site is another site's.
  next();
}

export function ready(_request, answer) {
  // Lesson going-live: 200 while the ledger can be written to, 503 while it cannot, within a second or two.
  answer.status(501).send("going-live");
}
