// The official stripe-node over what follows a payment: refunds, disputes, reviews, payouts, top-ups, reports.
// Reads STRIPEGYM_API, STRIPEGYM_KEY and STRIPEGYM_NODE_MODULES; ends with a trace where anything differs.

import assert from "node:assert/strict";
import { fails as refused, Stripe, stripe } from "./desk.mjs";

const fails = (call, expected) => refused("StripeInvalidRequestError", call, expected);

const called = new Set();

// Calls `stripe.SERVICE.METHOD` and counts it.
function run(path, ...args) {
  called.add(path);
  const names = path.split(".");
  const method = names.pop();
  const service = names.reduce((of, name) => of[name], stripe);
  return service[method](...args);
}

function pays(card, more = {}) {
  return run("paymentIntents.create", {
    amount: 2000,
    currency: "usd",
    confirm: true,
    capture_method: "automatic",
    payment_method: `pm_card_${card}`,
    automatic_payment_methods: { enabled: true, allow_redirects: "never" },
    ...more,
  });
}

async function becomes(path, id, status) {
  for (let attempt = 0; attempt < 600; attempt += 1) {
    const found = await run(path, id);
    if (found.status === status) return found;
    await new Promise((ready) => setTimeout(ready, 50));
  }
  return assert.fail(`${id} never became ${status}`);
}

async function passes(seconds) {
  const url = `${process.env.STRIPEGYM_API}/_stripegym/clock/advance?seconds=${seconds}`;
  const answer = await fetch(url, { method: "POST", headers: { "Stripegym-Control": "1" } });
  assert.equal(answer.status, 200);
}

async function refunds() {
  const paid = await pays("visa");
  const part = await run("refunds.create", { payment_intent: paid.id, amount: 500 });
  assert.equal(part.status, "succeeded");
  const changed = await run("refunds.update", part.id, { metadata: { why: "late" } });
  assert.equal(changed.metadata.why, "late");
  assert.equal((await run("refunds.retrieve", part.id)).amount, 500);
  await fails(() => run("refunds.cancel", part.id), { message: "Canceling this refund is unsupported." });
  const listed = await run("refunds.list", { charge: paid.latest_charge });
  assert.deepEqual(listed.data.map((it) => it.id), [part.id]);
  const row = await run("balanceTransactions.retrieve", part.balance_transaction);
  assert.deepEqual([row.amount, row.reporting_category], [-500, "refund"]);
  // A card that its bank does not take refunds of, and one whose bank takes its time.
  const [failing, pending] = [await pays("refundFail"), await pays("pendingRefund")];
  const fails_later = await run("refunds.create", { payment_intent: failing.id });
  const pends = await run("refunds.create", { payment_intent: pending.id });
  assert.deepEqual([fails_later.status, pends.status], ["succeeded", "pending"]);
  await passes(120);
  const failed = await becomes("refunds.retrieve", fails_later.id, "failed");
  assert.equal(failed.failure_reason, "expired_or_canceled_card");
  await becomes("refunds.retrieve", pends.id, "succeeded");
}

async function disputes() {
  const paid = await pays("createDisputeInquiry");
  const inquiry = (await run("disputes.list", { payment_intent: paid.id })).data[0];
  assert.equal(inquiry.status, "warning_needs_response");
  const data = Buffer.from("a photo of the parcel");
  const file = await run("files.create", {
    purpose: "dispute_evidence",
    file: { data, name: "parcel.txt", type: "text/plain" },
  });
  assert.equal((await run("files.retrieve", file.id)).size, data.length);
  const evidence = { shipping_documentation: file.id, uncategorized_text: "escalate_inquiry_evidence" };
  const staged = await run("disputes.update", inquiry.id, { evidence, submit: false });
  assert.equal(staged.evidence.shipping_documentation, file.id);
  const sent = await run("disputes.update", inquiry.id, { submit: true });
  assert.equal(sent.status, "warning_under_review");
  const escalated = await becomes("disputes.retrieve", inquiry.id, "needs_response");
  assert.equal(escalated.balance_transactions[0].amount, -2000);
  assert.equal((await run("disputes.close", inquiry.id)).status, "lost");
  await fails(() => run("disputes.close", inquiry.id), { message: "This dispute is already closed" });
  const told = await run("events.list", { type: "charge.dispute.closed" });
  assert.equal(told.data[0].data.object.status, "lost");
  const warned = await pays("createIssuerFraudRecord");
  const found = await run("radar.earlyFraudWarnings.list", { payment_intent: warned.id });
  await run("refunds.create", { payment_intent: warned.id });
  const warning = await run("radar.earlyFraudWarnings.retrieve", found.data[0].id);
  assert.equal(warning.actionable, false);
  const doubtful = await pays("riskLevelElevated");
  const review = await run("reviews.retrieve", doubtful.review);
  assert.equal((await run("reviews.list")).data[0].id, review.id);
  assert.equal((await run("reviews.approve", review.id)).open, false);
}

async function payouts() {
  await pays("bypassPending", { amount: 90000 });
  const { available } = await run("balance.retrieve");
  assert.ok(available.find((row) => row.currency === "usd").amount > 80000);
  const made = await run("payouts.create", { amount: 1100, currency: "usd" });
  assert.equal(made.status, "pending");
  assert.equal((await run("payouts.update", made.id, { metadata: { a: "1" } })).metadata.a, "1");
  const taken = await run("payouts.create", { amount: 5, currency: "usd" });
  assert.equal((await run("payouts.cancel", taken.id)).status, "canceled");
  await fails(() => run("payouts.create", { amount: 99999999, currency: "usd" }), {
    code: "balance_insufficient",
  });
  await run("balanceSettings.update", { payments: { payouts: { schedule: { interval: "daily" } } } });
  assert.equal((await run("balanceSettings.retrieve")).payments.payouts.schedule.interval, "daily");
  await passes(9 * 86400);
  await becomes("payouts.retrieve", made.id, "paid");
  const listed = await run("payouts.list", { limit: 100 });
  const automatic = listed.data.find((it) => it.automatic);
  let sum = 0;
  const filter = { payout: automatic.id, limit: 3 };
  for await (const row of run("balanceTransactions.list", filter)) {
    if (row.source !== automatic.id) sum += row.net;
  }
  assert.equal(sum, automatic.amount);
  return automatic;
}

async function topups() {
  const made = await run("topups.create", { amount: 700, currency: "usd" });
  assert.equal((await run("topups.update", made.id, { description: "float" })).description, "float");
  const taken = await run("topups.create", { amount: 5, currency: "usd" });
  assert.equal((await run("topups.cancel", taken.id)).status, "canceled");
  await passes(2 * 86400);
  await becomes("topups.retrieve", made.id, "succeeded");
  assert.equal((await run("topups.list", { amount: { gte: 700 } })).data.length, 1);
}

async function reports(payout) {
  const report_type = "payout_reconciliation.by_id.summary.1";
  assert.equal((await run("reporting.reportTypes.retrieve", report_type)).version, 1);
  assert.ok((await run("reporting.reportTypes.list")).data.length > 20);
  const parameters = { payout: payout.id };
  const asked = await run("reporting.reportRuns.create", { report_type, parameters });
  const done = await becomes("reporting.reportRuns.retrieve", asked.id, "succeeded");
  const headers = { Authorization: `Bearer ${process.env.STRIPEGYM_KEY}` };
  const text = await (await fetch(done.result.url, { headers })).text();
  const [head, ...rows] = text.trim().split("\n").map((line) => line.split(","));
  const net = rows.reduce((sum, row) => sum + Math.round(Number(row[head.indexOf("net")]) * 100), 0);
  assert.equal(net, payout.amount);
  assert.equal((await run("reporting.reportRuns.list")).data[0].id, asked.id);
}

await refunds();
await disputes();
const automatic = await payouts();
await topups();
await reports(automatic);
assert.ok(called.size >= 30, [...called].join(" "));
console.log("stripe-node", Stripe.PACKAGE_VERSION, "conforms in", called.size, "calls");
