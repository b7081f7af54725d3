// The shop that `benches/shop` holds ours against: the same three requests as one writes them with Express and SQLite.
// Reads MODULES (the folder of installed packages), DATABASE, SECRET; prints its address.

import { createHash } from "node:crypto";
import { createRequire } from "node:module";

const require = createRequire(`${process.env.MODULES}/none.js`);
const express = require("express");
const Database = require("libsql");
const Stripe = require("stripe");

const stripe = new Stripe("sk_test_stripegymBench12345678");
const db = new Database(process.env.DATABASE);
db.pragma("journal_mode = WAL");
db.pragma("synchronous = FULL");
db.exec(`
  CREATE TABLE sessions (hash TEXT PRIMARY KEY, email TEXT NOT NULL);
  CREATE TABLE plans (id TEXT PRIMARY KEY, name TEXT NOT NULL, amount INTEGER NOT NULL);
  CREATE TABLE credits (id INTEGER PRIMARY KEY, email TEXT NOT NULL, amount INTEGER NOT NULL);
  CREATE TABLE events (id TEXT PRIMARY KEY, type TEXT NOT NULL, body TEXT NOT NULL);
`);
const digest = (text) => createHash("sha256").update(text).digest("hex");
db.prepare("INSERT INTO sessions VALUES (?, ?)").run(digest("bench"), "ann@example.com");
for (const [id, amount] of [["small", 500], ["large", 2000], ["monthly", 980]]) {
  db.prepare("INSERT INTO plans VALUES (?, ?, ?)").run(id, `Plan ${id}`, amount);
}
db.prepare("INSERT INTO credits (email, amount) VALUES (?, ?)").run("ann@example.com", 100);

const page = (title, body) =>
  `<!doctype html><html lang="en"><meta charset="utf-8"><title>${title}</title><h1>${title}</h1>${body}</html>`;
const app = express();

app.get("/pricing", (_request, answer) => {
  const plans = db.prepare("SELECT * FROM plans").all();
  const cards = plans.map((it) => `<form method="post" action="/buy"><h2>${it.name}</h2><p>¥${it.amount}</p><button>Buy</button></form>`);
  answer.send(page("Plans", cards.join("")));
});

app.get("/account", (request, answer) => {
  const token = /session=(\w+)/.exec(request.get("cookie") ?? "")?.[1] ?? "";
  const user = db.prepare("SELECT email FROM sessions WHERE hash = ?").get(digest(token));
  if (!user) {
    answer.redirect(303, "/login");
    return;
  }
  const { sum } = db.prepare("SELECT coalesce(sum(amount), 0) AS sum FROM credits WHERE email = ?").get(user.email);
  answer.send(page("Account", `<p>${user.email}</p><p>${sum} credits</p>`));
});

app.post("/webhook", express.raw({ type: () => true }), (request, answer) => {
  try {
    const event = stripe.webhooks.constructEvent(request.body, request.get("stripe-signature"), process.env.SECRET);
    db.prepare("INSERT INTO events VALUES (?, ?, ?) ON CONFLICT DO NOTHING").run(event.id, event.type, request.body.toString());
    answer.json({ received: true });
  } catch {
    answer.status(400).send("not a genuine event");
  }
});

const server = app.listen(0, "127.0.0.1", () => console.log(`Ready http://127.0.0.1:${server.address().port}`));
