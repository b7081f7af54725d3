// Keys of an API that is sold by subscription: one for a purchase, shown once, kept as a hash, counted, and over in time.

import { createHash, randomBytes } from "node:crypto";
import * as buyer from "./buyer.js";
import { CURRENCY, stripe } from "./checkout.js";
import * as ledger from "./ledger.js";
import * as machine from "./machine.js";

const NAME = "The tea API, every month";
const PRICE = 980;
// How many calls a period that was paid is good for.
const QUOTA = 3;

export const SCHEMA = `
CREATE TABLE IF NOT EXISTS key_orders (
    session_id TEXT PRIMARY KEY,
    user       TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS api_keys (
    session_id   TEXT PRIMARY KEY, -- one key for a purchase, whoever asks first
    hash         TEXT NOT NULL UNIQUE,
    subscription TEXT NOT NULL,
    period       INTEGER NOT NULL,
    used         INTEGER NOT NULL
);
`;

// What is kept of a key. It is long and random, so that one round of a hash is enough; a password needs more.
const digest = (key) => createHash("sha256").update(key).digest("hex");

export async function begin(request, answer) {
  const whose = buyer.user(request);
  if (!whose) {
    answer.status(400).send("user");
    return;
  }
  const price = {
    currency: CURRENCY,
    unit_amount: PRICE,
    recurring: { interval: "month" },
    product_data: { name: NAME },
  };
  const session = await stripe.checkout.sessions.create({
    mode: "subscription",
    client_reference_id: whose,
    line_items: [{ price_data: price, quantity: 1 }],
    success_url: `${buyer.shop(request)}/success?session_id={CHECKOUT_SESSION_ID}`,
    cancel_url: `${buyer.shop(request)}/cancel`,
  });
  // Whose it is: noted before anybody can pay, and never read from an address.
  ledger.keys((db) => db.prepare("INSERT INTO key_orders VALUES (?, ?) ON CONFLICT DO NOTHING").run(session.id, whose));
  console.log("session", session.id, "for a key");
  answer.redirect(303, session.url);
}

const owns = (whose, session) =>
  ledger.keys((db) => db.prepare("SELECT 1 FROM key_orders WHERE session_id = ? AND user = ?").get(session, whose));

// The key of a purchase, null where it has one already: of two who ask at once, one is given it.
function issue(session, paidFor) {
  const key = `tea_${randomBytes(32).toString("base64url")}`;
  const add = "INSERT INTO api_keys VALUES (?, ?, ?, 0, 0) ON CONFLICT (session_id) DO NOTHING";
  const made = ledger.keys((db) => db.prepare(add).run(session, digest(key), paidFor));
  return made.changes > 0 ? key : null;
}

// Shows the key of the user's own purchase, once. Its text is nowhere but in this answer.
export async function thanks(request, answer) {
  const whose = buyer.user(request) ?? "";
  const name = String(request.query.session_id ?? "");
  if (!owns(whose, name)) {
    answer.status(404).json({ error: "no such purchase" });
    return;
  }
  const session = await stripe.checkout.sessions.retrieve(name);
  if (session.payment_status !== "paid" || !session.subscription) {
    answer.status(409).json({ error: "not paid" });
    return;
  }
  answer.set("Cache-Control", "no-store").json({ key: issue(session.id, session.subscription) });
}

// The key that is good now: its subscription has not ended. One that is to end goes on until then: that period is paid.
function holder(db, key) {
  const good = "SELECT hash, subscription FROM api_keys WHERE hash = ? AND subscription NOT IN (SELECT subscription FROM ended)";
  return db.prepare(good).get(digest(key));
}

// How many periods were paid. Each gives a new quota; what is left of the last one is gone.
const periods = (db, paidFor) =>
  db.prepare("SELECT count(*) AS count FROM invoices WHERE subscription = ?").get(paidFor).count;

// Counts a call, where one is left: looked at and counted in one statement, so that two at once are two.
function spend(db, key) {
  const now = periods(db, key.subscription);
  const count =
    "UPDATE api_keys SET used = CASE period WHEN ? THEN used + 1 ELSE 1 END, period = ?" +
    " WHERE hash = ? AND (period <> ? OR used < ?)";
  return db.prepare(count).run(now, now, key.hash, now, QUOTA).changes > 0;
}

// What is sold. Whoever has no key is told no more than that.
export function tea(request, answer) {
  const [kind, key = ""] = (request.get("authorization") ?? "").split(" ");
  ledger.keys((db) => {
    const found = kind.toLowerCase() === "bearer" ? holder(db, key) : undefined;
    if (!found) {
      answer.status(401).set("WWW-Authenticate", "Bearer").json({ error: "no key" });
    } else if (!spend(db, found)) {
      answer.status(429).json({ error: "quota" });
    } else {
      answer.json({ tea: "sencha" });
    }
  });
}

export function show(request, answer) {
  if (!machine.isThis(request)) {
    answer.status(403).send("not for you");
    return;
  }
  const own =
    "SELECT count(*) AS keys, coalesce(sum(used), 0) AS used FROM api_keys JOIN key_orders USING (session_id) WHERE user = ?";
  const { keys, used } = ledger.keys((db) => db.prepare(own).get(buyer.user(request) ?? ""));
  answer.json({ keys, used, quota: QUOTA });
}
