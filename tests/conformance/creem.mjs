// The official `creem` SDK and the webhook verification of `@creem_io/nextjs`, unmodified, over a shop with a second
// provider. Reads STRIPEGYM_API and STRIPEGYM_NODE_MODULES; ends with a trace where anything differs.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { createServer } from "node:http";
import { register } from "node:module";

// The verification answers with a Response of Next.js, and the package has a component of React beside it: neither
// is what is tried here.
const stand = { "next/server": "export const NextResponse = Response;", react: "export default {};" };
const standIns = `const stand = ${JSON.stringify(stand)};
export function resolve(name, context, next) {
  const text = stand[name];
  if (!text) return next(name, context);
  return { url: "data:text/javascript," + encodeURIComponent(text), shortCircuit: true };
}`;
register(`data:text/javascript,${encodeURIComponent(standIns)}`);

const modules = process.env.STRIPEGYM_NODE_MODULES;
const api = process.env.STRIPEGYM_API;
const KEY = "creem_test_0123456789abcdef";
const { Creem } = await import(`${modules}/creem/dist/esm/index.js`);
const { constructWebhookEventEntity, verifyWebhookSignature } = await import(`${modules}/creem/dist/esm/webhooks.js`);
const { Webhook } = await import(`${modules}/@creem_io/nextjs/dist/index.mjs`);

const creem = new Creem({ apiKey: KEY, serverURL: api });
const called = new Set();

// Calls `creem.SERVICE.METHOD` and counts it.
function run(path, ...args) {
  called.add(path);
  const [service, method] = path.split(".");
  return creem[service][method](...args);
}

async function control(path, form = {}) {
  const answer = await fetch(`${api}/_stripegym/${path}`, {
    method: "POST",
    headers: { "Stripegym-Control": "1" },
    body: new URLSearchParams(form),
  });
  assert.equal(answer.status, 200, await answer.clone().text());
  return answer.json();
}

// An address that keeps what it is sent, with the headers that it came with.
async function listen() {
  const seen = [];
  const server = createServer((request, response) => {
    const parts = [];
    request.on("data", (part) => parts.push(part));
    request.on("end", () => {
      seen.push({ headers: request.headers, body: Buffer.concat(parts).toString() });
      response.end("ok");
    });
  });
  await new Promise((ready) => server.listen(0, "127.0.0.1", ready));
  const url = `http://127.0.0.1:${server.address().port}/api/creem/webhook`;
  const arrives = async (kind) => {
    for (let attempt = 0; attempt < 600; attempt += 1) {
      const found = seen.find((it) => JSON.parse(it.body).eventType === kind);
      if (found) return found;
      await new Promise((again) => setTimeout(again, 50));
    }
    return assert.fail(`${kind} never arrived: ${seen.map((it) => JSON.parse(it.body).eventType)}`);
  };
  return { url, seen, arrives, close: () => server.close() };
}

// Fills in the page of a checkout as a browser without JavaScript does: where it leads, or the page that it stays on.
async function pays(url, card = "4242424242424242") {
  const page = await (await fetch(url)).text();
  const hidden = (name) => page.match(new RegExp(`name="${name}" value="([^"]*)"`))[1];
  const form = new URLSearchParams({
    token: hidden("token"),
    due: hidden("due"),
    email: "jenny@example.com",
    number: card,
    expiry: "12 / 40",
    cvc: "123",
    name: "Jenny",
  });
  const answer = await fetch(url, { method: "POST", body: form, redirect: "manual" });
  return { status: answer.status, to: answer.headers.get("location"), page: await answer.text() };
}

// What the address after a payment says, whose signature must be right.
function returned(url) {
  const said = new URL(url).searchParams;
  const own = [...said].filter(([name]) => name !== "provider" && name !== "signature");
  const text = [...own.map(([name, value]) => `${name}=${value}`), `salt=${KEY}`].join("|");
  assert.equal(said.get("signature"), createHash("sha256").update(text).digest("hex"));
  return Object.fromEntries(said);
}

async function fails(call, status) {
  const error = await call().then(
    () => assert.fail("nothing was thrown"),
    (error) => error,
  );
  assert.equal(error.statusCode, status, error.stack);
  const body = JSON.parse(error.body);
  assert.deepEqual(Object.keys(body).sort(), ["error", "message", "status", "timestamp", "trace_id"]);
  return body;
}

// A product that was made with what is usual, and what is not.
async function made(more = {}) {
  const sent = {
    name: "Pro",
    description: "Everything",
    price: 1000,
    currency: "EUR",
    billingType: "recurring",
    billingPeriod: "every-month",
    ...more,
  };
  return run("products.create", sent);
}

async function products() {
  const once = await made({ price: 500, billingType: "onetime", billingPeriod: "once", currency: "USD" });
  assert.deepEqual([once.currency, once.billingPeriod, once.status], ["USD", "once", "active"]);
  assert.equal((await run("products.get", once.id)).name, "Pro");
  const changed = await run("products.update", once.id, { price: 700 });
  assert.equal(changed.price, 700);
  assert.equal((await run("products.archive", once.id)).status, "archived");
  const found = await run("products.search", 1, 10, "archived");
  assert.deepEqual((found.result ?? found).items.map((it) => it.id), [once.id]);
  await fails(() => run("products.get", "prod_none"), 404);
  await fails(() => run("checkouts.create", { productId: once.id }), 400);
  const wrong = new Creem({ apiKey: "creem_live", serverURL: api });
  await fails(() => wrong.products.get(once.id), 403);
}

async function trade(hook) {
  const secret = (await run("webhooks.getSecret", hook.id)).secret;
  const sold = await made();
  const checkout = await run("checkouts.create", {
    productId: sold.id,
    requestId: "order 1",
    successUrl: "http://127.0.0.1:9/done?provider=creem",
    metadata: { userId: "u1" },
  });
  assert.equal(checkout.status, "pending");
  const refused = await pays(checkout.checkoutUrl, "4000000000000002");
  assert.equal(refused.status, 402);
  const { status, to } = await pays(checkout.checkoutUrl);
  assert.equal(status, 303);
  const said = returned(to);
  assert.deepEqual([said.provider, said.request_id, said.product_id], ["creem", "order 1", sold.id]);
  const done = await run("checkouts.retrieve", checkout.id);
  assert.deepEqual([done.status, done.order.type, done.metadata.userId], ["completed", "recurring", "u1"]);
  for (const kind of ["checkout.completed", "subscription.active", "subscription.paid"]) {
    const { headers, body } = await hook.arrives(kind);
    const event = await constructWebhookEventEntity(body, headers, secret);
    assert.equal(event.eventType, kind);
    await assert.rejects(verifyWebhookSignature(`${body} `, headers, secret));
  }
  await nextjs(await hook.arrives("checkout.completed"), secret, said.checkout_id);
  return { sold, said };
}

// The handler of the adapter believes what is signed, calls what was asked for, and refuses the rest.
async function nextjs({ headers, body }, webhookSecret, checkout) {
  const seen = [];
  const handler = Webhook({ webhookSecret, onCheckoutCompleted: (event) => seen.push(event) });
  const call = (text) =>
    handler(new Request("http://localhost/", { method: "POST", body: text, headers: { "creem-signature": headers["creem-signature"] } }));
  const { log, error } = console;
  console.log = () => {};
  console.error = () => {};
  const answers = [(await call(body)).status, (await call(body.replace("completed", "expired"))).status];
  Object.assign(console, { log, error });
  assert.deepEqual(answers, [200, 400]);
  assert.deepEqual(seen.map((event) => event.id), [checkout]);
}

async function subscriptions(hook, { said, sold }) {
  const id = said.subscription_id;
  const found = await run("subscriptions.get", id);
  assert.deepEqual([found.status, found.lastTransaction.amountPaid], ["active", 1000]);
  const all = await run("subscriptions.search", 1, 10);
  assert.equal((all.result ?? all).items.length, 1);
  const more = await made({ price: 3000 });
  const up = await run("subscriptions.upgrade", id, { productId: more.id, updateBehavior: "proration-none" });
  assert.equal(up.product.id, more.id);
  const item = up.items[0].id;
  const two = await run("subscriptions.update", id, { items: [{ id: item, units: 2 }], updateBehavior: "proration-none" });
  assert.equal(two.items[0].units, 2);
  assert.equal((await run("subscriptions.pause", id)).status, "paused");
  assert.equal((await run("subscriptions.resume", id)).status, "active");
  await control("clock/advance", { by: "1 month" });
  assert.equal((await run("subscriptions.get", id)).lastTransaction.amountPaid, 6000);
  await control(`creem/subscriptions/${id}/renewals`, { ok: "false" });
  await control("clock/advance", { by: "1 month" });
  assert.equal((await run("subscriptions.get", id)).status, "past_due");
  await hook.arrives("subscription.past_due");
  await control(`creem/subscriptions/${id}/renewals`, { ok: "true" });
  await control("clock/advance", { by: "4 days" });
  assert.equal((await run("subscriptions.get", id)).status, "active");
  const ending = await run("subscriptions.cancel", id, { mode: "scheduled", onExecute: "cancel" });
  assert.equal(ending.status, "scheduled_cancel");
  await control("clock/advance", { by: "1 month" });
  assert.equal((await run("subscriptions.get", id)).status, "canceled");
  await hook.arrives("subscription.canceled");
  await fails(() => run("subscriptions.pause", id), 400);
}

async function money(hook, { said }) {
  const list = await run("transactions.search", said.customer_id);
  const rows = (list.result ?? list).items;
  const paid = rows.find((it) => it.status === "paid");
  assert.equal((await run("transactions.getById", paid.id)).amount, paid.amount);
  assert.equal((await run("transactions.refund", { transactionId: paid.id })).status, "succeeded");
  const { headers, body } = await hook.arrives("refund.created");
  const secret = (await run("webhooks.getSecret", hook.id)).secret;
  const event = await constructWebhookEventEntity(body, headers, secret);
  assert.deepEqual([event.object.refundAmount, event.object.transaction.id], [paid.amountPaid, paid.id]);
  const other = rows.filter((it) => it.status === "paid")[1];
  await control(`creem/transactions/${other.id}/dispute`);
  const disputed = await hook.arrives("dispute.created");
  await constructWebhookEventEntity(disputed.body, disputed.headers, secret);
}

async function discounts() {
  const sold = await made({ price: 2000, billingType: "onetime", billingPeriod: "once" });
  const off = await run("discounts.create", {
    name: "Launch",
    code: "LAUNCH",
    type: "percentage",
    percentage: 25,
    duration: "once",
    appliesToProducts: [sold.id],
    expiryDate: new Date("2099-01-01"),
  });
  const checkout = await run("checkouts.create", { productId: sold.id, discountCode: "LAUNCH" });
  await pays(checkout.checkoutUrl);
  const done = await run("checkouts.retrieve", checkout.id);
  assert.deepEqual([done.order.amountPaid, done.order.discountAmount, done.order.type], [1500, 500, "onetime"]);
  assert.equal((await run("discounts.get", undefined, "LAUNCH")).redeemCount, 1);
  const found = await run("discounts.search", 1, 10);
  assert.equal((found.result ?? found).items.length, 1);
  assert.equal((await run("discounts.delete", off.id)).status, "deleted");
}

async function customers({ said }) {
  const id = said.customer_id;
  assert.equal((await run("customers.retrieve", id)).email, "jenny@example.com");
  assert.equal((await run("customers.retrieve", undefined, "jenny@example.com")).id, id);
  const made = await run("customers.create", { email: "aki@example.com", name: "Aki", externalId: "a-1" });
  const changed = await run("customers.update", { customerId: made.id, name: "Aki 2" });
  assert.deepEqual([changed.name, changed.externalId], ["Aki 2", "a-1"]);
  const list = await run("customers.list", 1, 10);
  assert.equal((list.result ?? list).items.length, 2);
  const orders = await run("customers.getOrders", id);
  assert.ok((orders.result ?? orders).items.length >= 2);
  const subscribed = await run("customers.listSubscriptions", id);
  assert.equal((subscribed.result ?? subscribed).items[0].id, said.subscription_id);
  const { customerPortalLink } = await run("customers.generateBillingLinks", { customerId: id });
  const portal = await fetch(customerPortalLink);
  assert.equal(portal.status, 200);
  assert.ok((await portal.text()).includes(said.subscription_id));
}

async function licences({ said }) {
  const sold = await made({ price: 900, billingType: "onetime", billingPeriod: "once" });
  await control(`creem/products/${sold.id}/licences`, { activations: "1" });
  const checkout = await run("checkouts.create", { productId: sold.id, customer: { id: said.customer_id } });
  await pays(checkout.checkoutUrl);
  const { key, id } = (await run("checkouts.retrieve", checkout.id)).licenseKeys[0];
  const active = await run("licenses.activate", { key, instanceName: "laptop" });
  assert.deepEqual([active.status, active.activation, active.instance.name], ["active", 1, "laptop"]);
  const named = { key, instanceId: active.instance.id };
  await fails(() => run("licenses.activate", { key, instanceName: "other" }), 403);
  assert.equal((await run("licenses.validate", named)).instance.status, "active");
  const instances = await run("licenses.listInstances", id);
  assert.equal((instances.result ?? instances).items.length, 1);
  const off = await run("licenses.deactivate", named);
  assert.deepEqual([off.status, off.instance.status], ["inactive", "deactivated"]);
  const own = await run("customers.listLicenses", said.customer_id);
  assert.equal((own.result ?? own).items[0].key, key);
}

async function webhooks(hook) {
  assert.equal((await run("webhooks.get", hook.id)).status, "enabled");
  const both = await control("creem/webhooks", { url: hook.url, signature: "both", events: "checkout.completed" });
  const sold = await made({ price: 300, billingType: "onetime", billingPeriod: "once" });
  const fetched = await run("webhooks.create", { deliveryMode: "cli", events: ["checkout.completed"] });
  hook.seen.length = 0;
  const checkout = await run("checkouts.create", { productId: sold.id });
  await pays(checkout.checkoutUrl);
  for (;;) {
    const found = hook.seen.find((it) => it.headers["webhook-signature"]);
    if (found) {
      await verifyWebhookSignature(found.body, found.headers, { secret: both.secret, toleranceInSeconds: 1e9 });
      break;
    }
    await new Promise((again) => setTimeout(again, 50));
  }
  const { items } = await run("webhooks.listPendingEvents", fetched.id);
  assert.equal(items.length, 1);
  await verifyWebhookSignature(items[0].body, items[0].headers, fetched.secret);
  const told = await run("webhooks.acknowledgeEvent", fetched.id, items[0].id, { statusCode: 200 });
  assert.equal(told.success, true);
  assert.equal((await run("webhooks.listPendingEvents", fetched.id)).items.length, 0);
  const off = await run("webhooks.update", both.id, { status: "disabled" });
  assert.equal(off.status, "disabled");
  await run("webhooks.delete", both.id);
  const list = await run("webhooks.list", 1, 10);
  assert.equal((list.result ?? list).items.length, 2);
}

const heard = await listen();
const hook = { ...(await run("webhooks.create", { url: heard.url })), ...heard };
await products();
const bought = await trade(hook);
await subscriptions(hook, bought);
await money(hook, bought);
await discounts();
await customers(bought);
await licences(bought);
await webhooks(hook);
heard.close();
console.log(`conforms: ${called.size} methods`);
process.exit(0);
