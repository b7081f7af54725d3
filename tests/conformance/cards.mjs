// The official stripe-node against the sandbox: cards on file, the old ways to save them, and other ways to pay.
// Reads STRIPEGYM_API, STRIPEGYM_KEY and STRIPEGYM_NODE_MODULES; ends with a trace where anything differs.

import assert from "node:assert/strict";
import { createServer } from "node:http";
import { fails, stripe } from "./desk.mjs";

const account = { account_number: "000123456789", routing_number: "110000000" };

async function setups(customer) {
  const made = await stripe.setupIntents.create({ customer });
  await stripe.setupIntents.update(made.id, { metadata: { k: "v" } });
  const asked = await stripe.setupIntents.confirm(made.id, {
    payment_method: "pm_card_authenticationRequired",
    return_url: "https://shop.example/",
  });
  assert.equal(asked.next_action.type, "redirect_to_url");
  const page = await fetch(asked.next_action.redirect_to_url.url);
  const token = /name="token" value="([^"]+)"/.exec(await page.text())[1];
  const answer = await fetch(asked.next_action.redirect_to_url.url, {
    method: "POST",
    headers: { "content-type": "application/x-www-form-urlencoded" },
    body: new URLSearchParams({ token, result: "pass" }),
    redirect: "manual",
  });
  assert.match(answer.headers.get("location"), /setup_intent=seti_.*redirect_status=succeeded/);
  const done = await stripe.setupIntents.retrieve(made.id);
  assert.equal(done.status, "succeeded");
  const attempts = await stripe.setupAttempts.list({ setup_intent: made.id });
  assert.equal(attempts.data[0].payment_method_details.card.three_d_secure.result, "authenticated");
  assert.equal((await stripe.setupIntents.list({ customer })).data.length, 1);
  const failed = await fails(
    "StripeCardError",
    () => stripe.setupIntents.create({ payment_method: "pm_card_chargeDeclined", confirm: true }),
    { code: "card_declined" },
  );
  await stripe.setupIntents.cancel(failed.raw.setup_intent.id);
  const bank = await stripe.setupIntents.create({
    customer,
    allowed_payment_method_types: ["us_bank_account"],
    payment_method_data: {
      type: "us_bank_account",
      us_bank_account: { ...account, account_holder_type: "individual" },
      billing_details: { name: "Aki" },
    },
    mandate_data: {
      customer_acceptance: { type: "online", online: { ip_address: "127.0.0.1", user_agent: "shop" } },
    },
    confirm: true,
  });
  const verified = await stripe.setupIntents.verifyMicrodeposits(bank.id, { amounts: [32, 45] });
  assert.equal((await stripe.mandates.retrieve(verified.mandate)).status, "active");
  return done.payment_method;
}

async function methods(customer, saved) {
  const made = await stripe.paymentMethods.create({ type: "card", card: { token: "tok_jcb" } });
  await stripe.paymentMethods.attach(made.id, { customer });
  await stripe.paymentMethods.update(made.id, { allow_redisplay: "limited" });
  assert.equal((await stripe.paymentMethods.retrieve(made.id)).allow_redisplay, "limited");
  assert.equal((await stripe.paymentMethods.list({ customer, type: "card" })).data.length, 2);
  assert.equal((await stripe.customers.listPaymentMethods(customer)).data.length, 3);
  assert.equal((await stripe.customers.retrievePaymentMethod(customer, saved)).id, saved);
  assert.equal((await stripe.paymentMethods.detach(made.id)).customer, null);
}

async function oldWays() {
  const customer = await stripe.customers.create({ source: "tok_visa", expand: ["sources"] });
  const card = customer.sources.data[0];
  assert.equal(customer.default_source, card.id);
  const token = await stripe.tokens.create({ bank_account: { ...account, country: "US", currency: "usd" } });
  assert.equal((await stripe.tokens.retrieve(token.id)).used, false);
  const bank = await stripe.customers.createSource(customer.id, { source: token.id });
  await stripe.customers.verifySource(customer.id, bank.id, { amounts: [32, 45] });
  await stripe.customers.updateSource(customer.id, card.id, { name: "Aki" });
  assert.equal((await stripe.customers.retrieveSource(customer.id, card.id)).name, "Aki");
  assert.equal((await stripe.customers.listSources(customer.id)).data.length, 2);
  const charge = await stripe.charges.create({ amount: 500, currency: "usd", customer: customer.id });
  assert.equal(charge.source.id, card.id);
  const source = await stripe.sources.create({ type: "card", token: "tok_amex" });
  await stripe.sources.update(source.id, { metadata: { k: "v" } });
  assert.equal((await stripe.sources.retrieve(source.id)).metadata.k, "v");
  assert.equal((await stripe.customers.deleteSource(customer.id, bank.id)).deleted, true);
}

async function cashAndHolds(customer) {
  const transfer = { funding_type: "bank_transfer", bank_transfer: { type: "jp_bank_transfer" } };
  const intent = await stripe.paymentIntents.create({
    amount: 9000,
    currency: "jpy",
    customer,
    allowed_payment_method_types: ["customer_balance"],
    payment_method_data: { type: "customer_balance" },
    payment_method_options: { customer_balance: transfer },
    confirm: true,
  });
  const sent = { amount: 10000, currency: "jpy" };
  await stripe.testHelpers.customers.fundCashBalance(customer, sent);
  assert.equal((await stripe.paymentIntents.retrieve(intent.id)).status, "succeeded");
  assert.equal((await stripe.customers.retrieveCashBalance(customer)).available.jpy, 1000);
  await stripe.customers.updateCashBalance(customer, { settings: { reconciliation_mode: "manual" } });
  const moved = await stripe.customers.listCashBalanceTransactions(customer);
  await stripe.customers.retrieveCashBalanceTransaction(customer, moved.data[0].id);
  const asked = { ...transfer, currency: "jpy" };
  const told = await stripe.customers.createFundingInstructions(customer, asked);
  assert.equal(told.bank_transfer.type, "jp_bank_transfer");
  const held = await stripe.paymentIntents.create({
    amount: 1000,
    currency: "usd",
    capture_method: "manual",
    allowed_payment_method_types: ["card"],
    payment_method: "pm_card_visa",
    payment_method_options: { card: { request_incremental_authorization: "if_available" } },
    confirm: true,
  });
  await stripe.paymentIntents.incrementAuthorization(held.id, { amount: 1200 });
  assert.equal((await stripe.paymentIntents.capture(held.id)).amount_received, 1200);
}

async function settings(customer) {
  const configuration = await stripe.paymentMethodConfigurations.create({ name: "Shop" });
  await stripe.paymentMethodConfigurations.update(configuration.id, { active: false });
  assert.equal((await stripe.paymentMethodConfigurations.retrieve(configuration.id)).active, false);
  assert.equal((await stripe.paymentMethodConfigurations.list()).data.length, 2);
  const domain = await stripe.paymentMethodDomains.create({ domain_name: "shop.example" });
  await stripe.paymentMethodDomains.validate(domain.id);
  const apple = await stripe.applePayDomains.create({ domain_name: "shop.example" });
  assert.equal((await stripe.applePayDomains.del(apple.id)).deleted, true);
  const made = await stripe.ephemeralKeys.create({ customer }, { apiVersion: "2026-10-28.endive" });
  await stripe.ephemeralKeys.del(made.id);
  const components = { payment_element: { enabled: true } };
  const session = await stripe.customerSessions.create({ customer, components });
  assert.match(session.client_secret, /^cuss_secret_/);
}

const wanted = new Set([
  "setup_intent.succeeded",
  "setup_intent.setup_failed",
  "customer.source.created",
  "customer_cash_balance_transaction.created",
  "payment_intent.amount_capturable_updated",
]);
let secret = "";
const told = {};
told.promise = new Promise((resolve, reject) => Object.assign(told, { resolve, reject }));
const server = createServer((request, response) => {
  const parts = [];
  request.on("data", (part) => parts.push(part));
  request.on("end", () => {
    response.end();
    try {
      const signature = request.headers["stripe-signature"];
      const event = stripe.webhooks.constructEvent(Buffer.concat(parts), signature, secret);
      wanted.delete(event.type);
      if (wanted.size === 0) told.resolve();
    } catch (error) {
      told.reject(error);
    }
  });
});
await new Promise((ready) => server.listen(0, "127.0.0.1", ready));
const url = `http://127.0.0.1:${server.address().port}/`;
({ secret } = await stripe.webhookEndpoints.create({ url, enabled_events: ["*"] }));
const customer = (await stripe.customers.create({ email: "aki@example.com" })).id;
await methods(customer, await setups(customer));
await oldWays();
await cashAndHolds(customer);
await settings(customer);
await told.promise;
server.close();
server.closeAllConnections();
console.log("stripe-node conforms with cards on file");
