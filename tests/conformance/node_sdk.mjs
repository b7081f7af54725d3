// The official stripe-node against the sandbox: what a shop's backend does with it, and how it fails.
// Reads STRIPEGYM_API, STRIPEGYM_KEY and STRIPEGYM_NODE_MODULES; ends with a trace where anything differs.

import assert from "node:assert/strict";
import { createServer } from "node:http";
import { fails, options, Stripe, stripe } from "./desk.mjs";

async function customersAndPages() {
  const made = [];
  for (let n = 0; n < 7; n += 1) {
    made.push(await stripe.customers.create({ email: `n${n}@example.com`, metadata: { n } }));
  }
  assert.match(made[0].lastResponse.requestId, /^req_/);
  const walked = [];
  for await (const customer of stripe.customers.list({ limit: 3 })) walked.push(customer.id);
  assert.deepEqual(walked, made.map((it) => it.id).reverse());
  const changed = await stripe.customers.update(made[0].id, { name: "Aki", metadata: { n: null } });
  assert.deepEqual([changed.name, changed.metadata], ["Aki", {}]);
  assert.equal((await stripe.customers.del(made[6].id)).deleted, true);
}

// Capture is asynchronous: the balance transaction comes a moment after the answer.
async function booked(charge) {
  for (let attempt = 0; attempt < 600; attempt += 1) {
    const found = await stripe.charges.retrieve(charge, { expand: ["balance_transaction"] });
    if (found.balance_transaction) return found.balance_transaction;
    await new Promise((ready) => setTimeout(ready, 50));
  }
  return assert.fail("the charge was never booked");
}

async function paysAndRefunds() {
  const paid = await stripe.paymentIntents.create({
    amount: 2000,
    currency: "usd",
    payment_method: "pm_card_visa",
    confirm: true,
    automatic_payment_methods: { enabled: true, allow_redirects: "never" },
    expand: ["latest_charge"],
  });
  assert.equal(paid.status, "succeeded");
  const { amount, fee, net } = await booked(paid.latest_charge.id);
  assert.equal(net, amount - fee);
  const refund = await stripe.refunds.create({ payment_intent: paid.id });
  assert.deepEqual([refund.status, refund.amount], ["succeeded", 2000]);
  assert.equal((await stripe.charges.retrieve(paid.latest_charge.id)).refunded, true);
  const held = await stripe.paymentIntents.create({
    amount: 3000,
    currency: "usd",
    payment_method: "pm_card_visa",
    capture_method: "manual",
    confirm: true,
    automatic_payment_methods: { enabled: true, allow_redirects: "never" },
  });
  assert.equal(held.status, "requires_capture");
  const captured = await stripe.paymentIntents.capture(held.id, { amount_to_capture: 1000 });
  assert.deepEqual([captured.status, captured.amount_received], ["succeeded", 1000]);
  const declined = await fails(
    "StripeCardError",
    () =>
      stripe.paymentIntents.create({
        amount: 2000,
        currency: "usd",
        payment_method: "pm_card_visa_chargeDeclined",
        confirm: true,
        automatic_payment_methods: { enabled: true, allow_redirects: "never" },
      }),
    { code: "card_declined", decline_code: "generic_decline", statusCode: 402 },
  );
  assert.equal(declined.payment_intent.status, "requires_payment_method");
  const challenged = await stripe.paymentIntents.create({
    amount: 2000,
    currency: "usd",
    payment_method: "pm_card_authenticationRequired",
    confirm: true,
    return_url: "https://example.com/back",
  });
  assert.equal(challenged.status, "requires_action");
  assert.equal((await stripe.paymentIntents.cancel(challenged.id)).status, "canceled");
}

async function checkout() {
  const session = await stripe.checkout.sessions.create({
    mode: "payment",
    line_items: [
      {
        price_data: { currency: "jpy", unit_amount: 500, product_data: { name: "緑茶" } },
        quantity: 3,
      },
    ],
    success_url: "https://example.com/s?session_id={CHECKOUT_SESSION_ID}",
    metadata: { order: "n-1" },
  });
  assert.deepEqual([session.status, session.amount_total], ["open", 1500]);
  const method = await stripe.paymentMethods.create({ type: "card", card: { token: "tok_visa" } });
  await stripe.rawRequest("POST", `/v1/payment_pages/${session.id}/confirm`, {
    payment_method: method.id,
    expected_amount: 1500,
  });
  const done = await stripe.checkout.sessions.retrieve(session.id, {
    expand: ["line_items.data.price.product", "payment_intent"],
  });
  assert.deepEqual([done.status, done.payment_status], ["complete", "paid"]);
  assert.equal(done.line_items.data[0].price.product.name, "緑茶");
  assert.equal(done.payment_intent.status, "succeeded");
  const items = await stripe.checkout.sessions.listLineItems(session.id);
  assert.equal(items.data[0].quantity, 3);
  return done;
}

async function errors() {
  await fails("StripeInvalidRequestError", () => stripe.customers.retrieve("cus_nope"), {
    code: "resource_missing",
    statusCode: 404,
  });
  await fails("StripeInvalidRequestError", () => stripe.customers.create({ emial: "x" }), {
    code: "parameter_unknown",
    param: "emial",
  });
  const stranger = new Stripe("sk_wrong_1234", options);
  await fails("StripeAuthenticationError", () => stranger.customers.list(), { statusCode: 401 });
  const keyed = { idempotencyKey: "node-1" };
  const first = await stripe.customers.create({ name: "Aki" }, keyed);
  const again = await stripe.customers.create({ name: "Aki" }, keyed);
  assert.equal(first.id, again.id);
  assert.equal(again.lastResponse.idempotencyKey, "node-1");
  await fails("StripeIdempotencyError", () => stripe.customers.create({ name: "Ben" }, keyed));
}

async function webhooks() {
  const waiting = [];
  const arrived = [];
  const server = createServer((request, response) => {
    const parts = [];
    request.on("data", (part) => parts.push(part));
    request.on("end", () => {
      response.end();
      arrived.push([Buffer.concat(parts), request.headers["stripe-signature"]]);
      waiting.shift()?.();
    });
  });
  await new Promise((ready) => server.listen(0, "127.0.0.1", ready));
  const next = async () => {
    if (arrived.length === 0) await new Promise((ready) => waiting.push(ready));
    return arrived.shift();
  };
  const endpoint = await stripe.webhookEndpoints.create({
    url: `http://127.0.0.1:${server.address().port}/hook`,
    enabled_events: ["checkout.session.completed"],
  });
  const session = await checkout();
  const [body, signature] = await next();
  const event = stripe.webhooks.constructEvent(body, signature, endpoint.secret);
  assert.equal(event.type, "checkout.session.completed");
  assert.equal(event.data.object.id, session.id);
  assert.throws(
    () => stripe.webhooks.constructEvent(`${body} `, signature, endpoint.secret),
    { type: "StripeSignatureVerificationError" },
  );
  const listed = await stripe.events.list({ type: "checkout.session.completed" });
  assert.ok(listed.data.some((it) => it.id === event.id));
  await stripe.webhookEndpoints.del(endpoint.id);
  server.closeAllConnections();
  server.close();
}

await customersAndPages();
await paysAndRefunds();
await errors();
await webhooks();
console.log("stripe-node", Stripe.PACKAGE_VERSION, "conforms");
