// The shop: its front page, what it logs, and the parts that it is put together from.

import { createHash, timingSafeEqual } from "node:crypto";
import express from "express";
import * as apikey from "./apikey.js";
import * as cards from "./cards.js";
import * as checkout from "./checkout.js";
import * as credit from "./credit.js";
import * as creem from "./creem.js";
import * as dispute from "./dispute.js";
import * as intent from "./intent.js";
import * as ledger from "./ledger.js";
import * as live from "./live.js";
import * as machine from "./machine.js";
import * as pages from "./pages.js";
import * as portal from "./portal.js";
import * as refund from "./refund.js";
import * as rights from "./rights.js";
import * as settings from "./settings.js";
import * as subscription from "./subscription.js";
import * as users from "./users.js";
import * as webhook from "./webhook.js";

const app = express();
app.disable("x-powered-by");

// Day 0: write one line for each request, once it is answered: method, address (originalUrl), status.

app.use(live.guard);

app.get("/", (_request, answer) => {
  // Day 0: greet, and offer the tea by a form that posts to /checkout. Hide a new number (randomUUID) in it
  // as `order`: day 1 makes it the idempotency key, so that a double click buys once.
  answer.status(501).send(pages.page("Not written yet", "<p>Day 0</p>"));
});

// What a browser may know: never more than the publishable key.
app.get("/config", (_request, answer) => {
  const known = settings.publishableKey;
  answer.json({ publishableKey: known.startsWith("pk_") ? known : null });
});

app.get("/ledger", (request, answer) => {
  if (!maySeeTheLedger(request)) {
    answer.status(settings.ledgerToken ? 401 : 403).send("not for you");
  } else {
    answer.json({ rows: ledger.rows() });
  }
});

// The webhook reads bytes, the checkout a form; nothing parses a body before they do.
app.post("/webhook", express.raw({ type: () => true, limit: "4mb" }), webhook.receive);
const form = express.urlencoded({ extended: false, limit: "1mb" });
app.post("/checkout", form, checkout.begin);
app.post("/cards", form, cards.keep);
app.post("/cards/charge", form, cards.charge);
app.post("/cards/remove", form, cards.remove);
app.post("/refund", form, refund.giveBack);
app.post("/evidence", form, dispute.respond);
app.post("/subscribe", form, subscription.begin);
app.get("/access", subscription.access);
app.post("/portal", form, portal.enter);
app.post("/credits/buy", form, credit.begin);
app.get("/credits", credit.show);
app.get("/credits/verify", credit.verify);
app.post("/keys/buy", form, apikey.begin);
app.get("/keys/thanks", apikey.thanks);
app.get("/keys", apikey.show);
app.get("/api/tea", apikey.tea);
app.post("/webhook/creem", express.raw({ type: () => true, limit: "4mb" }), creem.receive);
app.post("/orders", form, creem.begin);
app.get("/orders", creem.show);
app.get("/readyz", live.ready);
app.get("/rights", rights.show);
app.post("/intents", form, intent.begin);
app.get("/intents/return", intent.back);
app.get("/order", intent.order);
app.post("/users", form, users.enter);
app.get("/users/cards", users.show);
app.post("/users/default", form, users.choose);
app.get("/success", pages.success);
app.get("/cancel", pages.cancel);
app.all(["/webhook", "/checkout"], (_request, answer) => {
  answer.status(405).set("Allow", "POST").send("POST only");
});

app.use(rights.lacking);
// Refusals keep their status; everything else is the shop's own fault and says so with 500.
app.use((error, request, answer, _next) => {
  const status = error.status >= 400 && error.status < 500 ? error.status : 500;
  if (status === 500) {
    console.error("ERROR", request.method, request.path, "failed:", error);
  }
  const words = status === 500 ? "It is our fault. Please try again." : "This cannot be read.";
  answer.status(status).send(pages.page("Something went wrong", `<p>${words}</p>`));
});

function maySeeTheLedger(request) {
  if (!settings.ledgerToken) {
    return machine.isThis(request);
  }
  const digest = (text) => createHash("sha256").update(text).digest();
  const given = request.get("authorization") ?? "";
  return timingSafeEqual(digest(given), digest(`Bearer ${settings.ledgerToken}`));
}

ledger.prepare();
const server = app.listen(settings.port, settings.bind, (error) => {
  if (error) {
    console.error(`port ${settings.port}: ${error.message}`);
    process.exit(1);
  }
  console.log(`the shop is open on http://${settings.bind}:${server.address().port}`);
});
