// The official stripe-node as a platform: accounts, and money that is split between them.
// Reads STRIPEGYM_API, STRIPEGYM_KEY and STRIPEGYM_NODE_MODULES; ends with a trace where anything differs.

import assert from "node:assert/strict";
import { createServer } from "node:http";
import { fails as refused, stripe } from "./desk.mjs";

const fails = (call, expected) => refused(undefined, call, expected);

async function opened(id) {
  for (let attempt = 0; attempt < 600; attempt += 1) {
    const account = await stripe.accounts.retrieve(id);
    if (account.payouts_enabled) return account;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return assert.fail("the account never opened");
}

async function onboard() {
  const made = await stripe.accounts.create({
    country: "US",
    controller: {
      fees: { payer: "application" },
      losses: { payments: "application" },
      requirement_collection: "application",
      stripe_dashboard: { type: "none" },
    },
    capabilities: { transfers: { requested: true } },
    business_type: "individual",
    business_profile: { url: "https://example.com" },
    tos_acceptance: { date: 1609798905, ip: "127.0.0.1" },
    external_account: "btok_us_verified",
    individual: {
      first_name: "Jenny",
      last_name: "Rosen",
      email: "jenny@example.com",
      phone: "0000000000",
      dob: { day: 1, month: 1, year: 1901 },
      address: { line1: "address_full_match", city: "Albany", state: "NY", postal_code: "12345", country: "US" },
      id_number: "000000000",
    },
  });
  assert.deepEqual(made.requirements.currently_due, []);
  assert.equal(made.individual.verification.status, "pending");
  const open = await opened(made.id);
  assert.equal(open.capabilities.transfers, "active");
  assert.equal(open.individual.verification.status, "verified");
  const wrong = await stripe.accounts.update(made.id, { individual: { id_number: "111111111" } });
  assert.equal(wrong.capabilities.transfers, "pending");
  await stripe.accounts.update(made.id, { individual: { id_number: "000000000" } });
  await opened(made.id);
  const all = await stripe.accounts.list({ limit: 1 });
  assert.equal(all.data[0].id, made.id);
  return made.id;
}

async function linked() {
  const account = await stripe.accounts.create({ type: "express", country: "JP" });
  const link = await stripe.accountLinks.create({
    account: account.id,
    type: "account_onboarding",
    refresh_url: "https://example.com/again",
    return_url: "https://example.com/back",
  });
  const html = await (await fetch(link.url)).text();
  const token = /name="token" value="([^"]+)"/.exec(html)[1];
  const sent = { method: "POST", body: new URLSearchParams({ token, outcome: "submitted" }), redirect: "manual" };
  const back = await fetch(link.url, sent);
  assert.equal(back.headers.get("location"), "https://example.com/back");
  assert.equal((await stripe.accounts.retrieve(account.id)).payouts_enabled, true);
  const login = await stripe.accounts.createLoginLink(account.id);
  assert.equal((await fetch(login.url)).status, 200);
  return account.id;
}

async function money(account) {
  await stripe.charges.create({ amount: 9000, currency: "usd", source: "tok_bypassPending" });
  const source = await stripe.charges.create({ amount: 5000, currency: "usd", source: "tok_visa" });
  const made = await stripe.transfers.create({
    amount: 3000,
    currency: "usd",
    destination: account,
    source_transaction: source.id,
  });
  assert.equal(made.source_transaction, source.id);
  await fails(
    () => stripe.transfers.create({ amount: 2001, currency: "usd", destination: account, source_transaction: source.id }),
    { param: "amount" },
  );
  const reversal = await stripe.transfers.createReversal(made.id, { amount: 500 });
  assert.equal((await stripe.transfers.retrieveReversal(made.id, reversal.id)).amount, 500);
  assert.equal((await stripe.transfers.listReversals(made.id)).data.length, 1);
  await stripe.transfers.updateReversal(made.id, reversal.id, { metadata: { a: "b" } });
  const now = await stripe.transfers.retrieve(made.id);
  assert.deepEqual([now.amount_reversed, now.reversals.data[0].metadata], [500, { a: "b" }]);
  const held = await stripe.paymentIntents.create({
    amount: 4000,
    currency: "usd",
    payment_method: "pm_card_visa",
    allowed_payment_method_types: ["card"],
    capture_method: "manual",
    confirm: true,
    transfer_data: { destination: account, amount: 3500 },
  });
  assert.equal(held.transfer_group, `group_${held.id}`);
  const taken = await stripe.paymentIntents.capture(held.id, { transfer_data: { amount: 3600 } });
  const charge = await stripe.charges.retrieve(taken.latest_charge, { expand: ["transfer"] });
  assert.deepEqual([charge.transfer.amount, charge.destination], [3600, account]);
}

async function direct(account) {
  const there = { stripeAccount: account };
  const paid = await stripe.paymentIntents.create(
    {
      amount: 2000,
      currency: "usd",
      payment_method: "pm_card_visa",
      allowed_payment_method_types: ["card"],
      capture_method: "automatic",
      confirm: true,
      application_fee_amount: 150,
    },
    there,
  );
  const fees = await stripe.applicationFees.list({ charge: paid.latest_charge });
  const [fee] = fees.data;
  assert.deepEqual([fee.amount, fee.account], [150, account]);
  await stripe.refunds.create({ charge: paid.latest_charge, refund_application_fee: true }, there);
  assert.equal((await stripe.applicationFees.retrieve(fee.id)).refunded, true);
  await fails(() => stripe.applicationFees.createRefund(fee.id), { statusCode: 400 });
  return paid.id;
}

const seen = [];
let secret = "";
const listener = createServer((request, response) => {
  const parts = [];
  request.on("data", (part) => parts.push(part));
  request.on("end", () => {
    const body = Buffer.concat(parts);
    seen.push(stripe.webhooks.constructEvent(body, request.headers["stripe-signature"], secret));
    response.end();
  });
});
await new Promise((resolve) => listener.listen(0, "127.0.0.1", resolve));
const url = `http://127.0.0.1:${listener.address().port}/connect`;
const endpoint = await stripe.webhookEndpoints.create({ url, enabled_events: ["*"], connect: true });
secret = endpoint.secret;
const account = await onboard();
await linked();
await money(account);
const intent = await direct(account);
const arrived = () => seen.find((it) => it.type === "payment_intent.succeeded" && it.data.object.id === intent);
for (let attempt = 0; attempt < 600 && !arrived(); attempt += 1) {
  await new Promise((resolve) => setTimeout(resolve, 20));
}
assert.equal(arrived().account, account);
assert.ok(seen.every((it) => it.account), "only of connected accounts");
listener.close();
console.log("conforms");
