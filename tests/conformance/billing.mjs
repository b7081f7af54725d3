// The official stripe-node against the sandbox: a hundred calls and more of what bills again and again.
// Reads STRIPEGYM_API, STRIPEGYM_KEY and STRIPEGYM_NODE_MODULES; ends with a trace where anything differs.

import assert from "node:assert/strict";
import { createServer } from "node:http";
import { Stripe, fails, stripe } from "./desk.mjs";

const called = new Set();
const REFUSED = "StripeInvalidRequestError";

// Calls a method of a resource ("checkout.sessions"), which is counted.
async function call(resource, method, ...args) {
  const service = resource.split(".").reduce((at, name) => at[name], stripe);
  called.add(`${resource}.${method}`);
  return service[method](...args);
}

const refused = (act, expected) => fails(REFUSED, act, expected);
const recurring = (product, amount, interval) => ({ product, currency: "usd", unit_amount: amount, recurring: { interval } });

async function offers() {
  const tea = await call("products", "create", { name: "Tea", metadata: { leaf: "green" } });
  assert.equal((await call("products", "update", tea.id, { description: "a box" })).description, "a box");
  assert.equal((await call("products", "retrieve", tea.id)).name, "Tea");
  assert.equal((await call("products", "list", { active: true })).data[0].id, tea.id);
  assert.equal((await call("products", "search", { query: "metadata['leaf']:'green'" })).data[0].id, tea.id);
  const gone = await call("products", "create", { name: "Gone" });
  assert.ok((await call("products", "del", gone.id)).deleted);
  const monthly = await call("prices", "create", recurring(tea.id, 2000, "month"));
  assert.equal((await call("prices", "retrieve", monthly.id)).recurring.interval, "month");
  const dear = await call("prices", "create", recurring(tea.id, 5000, "month"));
  assert.equal((await call("prices", "update", dear.id, { nickname: "dear" })).nickname, "dear");
  assert.equal((await call("prices", "list", { product: tea.id })).data.length, 2);
  assert.equal((await call("prices", "search", { query: `product:'${tea.id}'` })).data.length, 2);
  const plan = await call("plans", "create", { currency: "usd", interval: "year", amount: 9000, product: tea.id });
  assert.equal((await call("plans", "retrieve", plan.id)).interval, "year");
  assert.equal((await call("plans", "update", plan.id, { metadata: { a: "1" } })).metadata.a, "1");
  assert.ok((await call("plans", "list")).data.some((it) => it.id === plan.id));
  assert.ok((await call("plans", "del", plan.id)).deleted);
  await call("coupons", "create", { percent_off: 10, duration: "forever", id: "TEN" });
  assert.equal((await call("coupons", "retrieve", "TEN")).percent_off, 10);
  assert.equal((await call("coupons", "update", "TEN", { name: "Ten" })).name, "Ten");
  assert.equal((await call("coupons", "list")).data[0].id, "TEN");
  const short = await call("coupons", "create", { amount_off: 100, currency: "usd" });
  assert.ok((await call("coupons", "del", short.id)).deleted);
  const promotion = { type: "coupon", coupon: "TEN" };
  const code = await call("promotionCodes", "create", { promotion, code: "SPRING" });
  assert.equal((await call("promotionCodes", "retrieve", code.id)).code, "SPRING");
  assert.ok((await call("promotionCodes", "update", code.id, { metadata: { a: "1" } })).active);
  assert.equal((await call("promotionCodes", "list", { code: "SPRING" })).data[0].id, code.id);
  const rate = await call("taxRates", "create", { display_name: "JCT", percentage: 10, inclusive: true });
  assert.equal((await call("taxRates", "update", rate.id, { country: "JP" })).country, "JP");
  assert.equal((await call("taxRates", "retrieve", rate.id)).percentage, 10);
  assert.equal((await call("taxRates", "list", { inclusive: true })).data[0].id, rate.id);
  return { monthly, dear, code };
}

// A customer with a card.
async function somebody(more = {}) {
  const made = await call("customers", "create", { email: "ada@example.com", name: "Ada", ...more });
  const card = await call("paymentMethods", "attach", "pm_card_visa", { customer: made.id });
  await call("customers", "update", made.id, { invoice_settings: { default_payment_method: card.id } });
  return { customer: await call("customers", "retrieve", made.id), card };
}

async function customers() {
  const { customer, card } = await somebody({ metadata: { from: "desk" } });
  assert.equal(customer.invoice_settings.default_payment_method, card.id);
  assert.equal((await call("customers", "list", { email: "ada@example.com" })).data[0].id, customer.id);
  assert.equal((await call("customers", "search", { query: "metadata['from']:'desk'" })).data[0].id, customer.id);
  assert.equal((await call("paymentMethods", "retrieve", card.id)).customer, customer.id);
  assert.equal((await call("paymentMethods", "list", { customer: customer.id })).data[0].id, card.id);
  const named = { billing_details: { name: "Ada L" } };
  assert.equal((await call("paymentMethods", "update", card.id, named)).billing_details.name, "Ada L");
  assert.equal((await call("customers", "listPaymentMethods", customer.id)).data[0].id, card.id);
  assert.equal((await call("customers", "retrievePaymentMethod", customer.id, card.id)).id, card.id);
  const other = await call("paymentMethods", "attach", "pm_card_mastercard", { customer: customer.id });
  assert.equal((await call("paymentMethods", "detach", other.id)).customer, null);
  const tax = await call("customers", "createTaxId", customer.id, { type: "eu_vat", value: "DE123456789" });
  assert.equal((await call("customers", "retrieveTaxId", customer.id, tax.id)).country, "DE");
  assert.equal((await call("customers", "listTaxIds", customer.id)).data[0].id, tax.id);
  assert.ok((await call("customers", "deleteTaxId", customer.id, tax.id)).deleted);
  const owed = { amount: 300, currency: "usd", description: "an old debt" };
  const moved = await call("customers", "createBalanceTransaction", customer.id, owed);
  assert.equal(moved.ending_balance, 300);
  assert.equal((await call("customers", "retrieveBalanceTransaction", customer.id, moved.id)).amount, 300);
  await call("customers", "updateBalanceTransaction", customer.id, moved.id, { metadata: { a: "1" } });
  assert.equal((await call("customers", "listBalanceTransactions", customer.id)).data[0].metadata.a, "1");
  const gone = await call("customers", "create", {});
  assert.ok((await call("customers", "del", gone.id)).deleted);
}

async function subscriptions({ monthly, dear, code }) {
  const { customer } = await somebody();
  const items = [{ price: monthly.id }];
  const made = await call("subscriptions", "create", { customer: customer.id, items, expand: ["latest_invoice"] });
  assert.deepEqual([made.status, made.latest_invoice.amount_paid], ["active", 2000]);
  assert.equal((await call("subscriptions", "retrieve", made.id)).items.data[0].price.id, monthly.id);
  assert.equal((await call("subscriptions", "list", { customer: customer.id })).data[0].id, made.id);
  const [item] = made.items.data;
  assert.equal((await call("subscriptionItems", "retrieve", item.id)).subscription, made.id);
  assert.equal((await call("subscriptionItems", "list", { subscription: made.id })).data[0].id, item.id);
  assert.equal((await call("subscriptionItems", "update", item.id, { quantity: 2 })).quantity, 2);
  const more = await call("subscriptionItems", "create", { subscription: made.id, price: dear.id });
  assert.ok((await call("subscriptionItems", "del", more.id)).deleted);
  const preview = await call("invoices", "createPreview", { subscription: made.id });
  assert.ok(preview.id.startsWith("upcoming_in_") && preview.total > 4000);
  const discounted = { discounts: [{ promotion_code: code.id }], metadata: { of: "node" } };
  assert.equal((await call("subscriptions", "update", made.id, discounted)).discounts.length, 1);
  assert.ok((await call("subscriptions", "deleteDiscount", made.id)).deleted);
  const found = await call("subscriptions", "search", { query: "metadata['of']:'node'" });
  assert.equal(found.data[0].id, made.id);
  assert.equal((await call("subscriptions", "cancel", made.id)).status, "canceled");
  await refused(() => call("subscriptions", "update", made.id, { description: "x" }), {
    code: "invalid_canceled_subscription_fields",
  });
  const nobody = await call("customers", "create", {});
  await refused(() => call("subscriptions", "create", { customer: nobody.id, items }), { code: "resource_missing" });
  const end_behavior = { missing_payment_method: "pause" };
  const trial = { customer: nobody.id, items, trial_period_days: 7, trial_settings: { end_behavior } };
  const { id } = await call("subscriptions", "create", trial);
  assert.equal((await call("subscriptions", "update", id, { trial_end: "now" })).status, "paused");
  const card = await call("paymentMethods", "attach", "pm_card_visa", { customer: nobody.id });
  await call("customers", "update", nobody.id, { invoice_settings: { default_payment_method: card.id } });
  await call("subscriptions", "resume", id);
  const again = await call("subscriptions", "pause", id, { invoicing_behavior: "pending_invoice_item" });
  assert.equal(again.status_details.paused.subscription.type, "pause_requested");
  await call("subscriptions", "resume", id);
  assert.equal((await call("subscriptions", "retrieve", id)).status, "active");
}

async function other(customer, more = {}) {
  await call("invoiceItems", "create", { customer: customer.id, amount: 900, currency: "usd" });
  return call("invoices", "create", { customer: customer.id, pending_invoice_items_behavior: "include", ...more });
}

async function invoices() {
  const { customer } = await somebody();
  const item = await call("invoiceItems", "create", { customer: customer.id, amount: 1500, currency: "usd" });
  assert.equal((await call("invoiceItems", "update", item.id, { description: "Tea" })).description, "Tea");
  assert.equal((await call("invoiceItems", "retrieve", item.id)).amount, 1500);
  assert.equal((await call("invoiceItems", "list", { customer: customer.id })).data[0].id, item.id);
  const spare = await call("invoiceItems", "create", { customer: customer.id, amount: 1, currency: "usd" });
  assert.ok((await call("invoiceItems", "del", spare.id)).deleted);
  const asked = { customer: customer.id, pending_invoice_items_behavior: "include", metadata: { of: "node" } };
  const draft = await call("invoices", "create", asked);
  assert.deepEqual([draft.status, draft.total], ["draft", 1500]);
  assert.equal((await call("invoices", "update", draft.id, { description: "March" })).description, "March");
  const lines = [{ amount: 500, description: "Cups" }];
  assert.equal((await call("invoices", "addLines", draft.id, { lines })).total, 2000);
  const shown = await call("invoices", "listLineItems", draft.id);
  const cups = shown.data.find((it) => it.description === "Cups");
  await call("invoices", "updateLineItem", draft.id, cups.id, { amount: 700 });
  const again = { lines: [{ id: cups.id, amount: 600 }] };
  assert.equal((await call("invoices", "updateLines", draft.id, again)).total, 2100);
  const less = { lines: [{ id: cups.id, behavior: "delete" }] };
  assert.equal((await call("invoices", "removeLines", draft.id, less)).total, 1500);
  const opened = await call("invoices", "finalizeInvoice", draft.id, { auto_advance: false });
  assert.ok(opened.status === "open" && opened.number);
  await refused(() => call("invoices", "del", draft.id));
  const paid = await call("invoices", "pay", draft.id);
  assert.deepEqual([paid.status, paid.amount_paid], ["paid", 1500]);
  const twice = await refused(() => call("invoices", "pay", draft.id));
  assert.equal(twice.message, "Invoice is already paid");
  const [payment] = (await call("invoicePayments", "list", { invoice: draft.id })).data;
  assert.equal((await call("invoicePayments", "retrieve", payment.id)).amount_paid, 1500);
  assert.equal((await call("invoices", "retrieve", draft.id)).number, opened.number);
  assert.equal((await call("invoices", "list", { customer: customer.id })).data[0].id, draft.id);
  assert.equal((await call("invoices", "search", { query: "metadata['of']:'node'" })).data[0].id, draft.id);
  await credit(draft);
  const sent = await other(customer, { collection_method: "send_invoice", days_until_due: 7 });
  assert.equal((await call("invoices", "sendInvoice", sent.id)).status, "open");
  assert.equal((await call("invoices", "voidInvoice", sent.id)).status, "void");
  const lost = await other(customer);
  await call("invoices", "finalizeInvoice", lost.id, { auto_advance: false });
  const note = await call("creditNotes", "create", { invoice: lost.id, amount: 100 });
  assert.equal((await call("creditNotes", "voidCreditNote", note.id)).status, "void");
  assert.equal((await call("invoices", "markUncollectible", lost.id)).status, "uncollectible");
  assert.ok((await call("invoices", "del", (await other(customer)).id)).deleted);
}

async function credit(invoice) {
  const asked = { invoice: invoice.id, amount: 500 };
  const refunded = { ...asked, refund_amount: 500 };
  assert.equal((await call("creditNotes", "preview", refunded)).total, 500);
  assert.equal((await call("creditNotes", "listPreviewLineItems", refunded)).data[0].amount, 500);
  const made = await call("creditNotes", "create", { ...asked, credit_amount: 500 });
  assert.equal((await call("creditNotes", "retrieve", made.id)).amount, 500);
  assert.equal((await call("creditNotes", "update", made.id, { memo: "sorry" })).memo, "sorry");
  assert.equal((await call("creditNotes", "list", { invoice: invoice.id })).data[0].id, made.id);
  assert.equal((await call("creditNotes", "listLineItems", made.id)).data[0].amount, 500);
}

async function clocks({ monthly }) {
  const began = 1_800_000_000;
  const clock = await call("testHelpers.testClocks", "create", { frozen_time: began, name: "a year" });
  const { customer } = await somebody({ test_clock: clock.id });
  const made = await call("subscriptions", "create", { customer: customer.id, items: [{ price: monthly.id }] });
  const bad = await call("paymentMethods", "attach", "pm_card_chargeCustomerFail", { customer: customer.id });
  await call("subscriptions", "update", made.id, { default_payment_method: bad.id });
  const frozen_time = made.items.data[0].current_period_end + 7200;
  const moving = await call("testHelpers.testClocks", "advance", clock.id, { frozen_time });
  assert.equal(moving.status, "advancing");
  await refused(() => call("testHelpers.testClocks", "advance", clock.id, { frozen_time: began }));
  for (let tries = 0; tries < 100; tries += 1) {
    if ((await call("testHelpers.testClocks", "retrieve", clock.id)).status === "ready") break;
    await new Promise((done) => setTimeout(done, 50));
  }
  assert.equal((await call("subscriptions", "retrieve", made.id)).status, "past_due");
  assert.equal((await call("testHelpers.testClocks", "list")).data[0].id, clock.id);
  assert.ok((await call("testHelpers.testClocks", "del", clock.id)).deleted);
}

async function sold({ monthly }) {
  const line_items = [{ price: monthly.id, quantity: 1 }];
  const link = await call("paymentLinks", "create", { line_items });
  assert.ok((await call("paymentLinks", "retrieve", link.id)).active);
  assert.equal((await call("paymentLinks", "listLineItems", link.id)).data[0].price.id, monthly.id);
  assert.equal((await call("paymentLinks", "update", link.id, { active: false })).active, false);
  assert.equal((await call("paymentLinks", "list")).data[0].id, link.id);
  const asked = { mode: "subscription", line_items, success_url: "https://example.com/" };
  const session = await call("checkout.sessions", "create", asked);
  assert.deepEqual([session.mode, session.amount_total], ["subscription", 2000]);
  assert.equal((await call("checkout.sessions", "retrieve", session.id)).url, session.url);
  assert.equal((await call("checkout.sessions", "listLineItems", session.id)).data[0].price.id, monthly.id);
  assert.equal((await call("checkout.sessions", "update", session.id, { metadata: { a: "1" } })).metadata.a, "1");
  assert.equal((await call("checkout.sessions", "list")).data[0].id, session.id);
  assert.equal((await call("checkout.sessions", "expire", session.id)).status, "expired");
}

async function settings() {
  const default_aggregation = { formula: "sum" };
  const meter = await call("billing.meters", "create", { display_name: "Cups", event_name: "cups", default_aggregation });
  assert.equal((await call("billing.meters", "retrieve", meter.id)).status, "active");
  assert.equal((await call("billing.meters", "update", meter.id, { display_name: "Mugs" })).display_name, "Mugs");
  assert.equal((await call("billing.meters", "list")).data[0].id, meter.id);
  assert.equal((await call("billing.meters", "deactivate", meter.id)).status, "inactive");
  assert.equal((await call("billing.meters", "reactivate", meter.id)).status, "active");
  const features = { invoice_history: { enabled: true } };
  const portal = await call("billingPortal.configurations", "create", { features });
  assert.ok((await call("billingPortal.configurations", "retrieve", portal.id)).active);
  assert.equal((await call("billingPortal.configurations", "list")).data[0].id, portal.id);
  const changed = await call("billingPortal.configurations", "update", portal.id, { metadata: { a: "1" } });
  assert.equal(changed.metadata.a, "1");
}

// Every delivery is signed, and what a subscription tells of is among them.
const wanted = new Set([
  "customer.subscription.created",
  "customer.subscription.deleted",
  "customer.subscription.paused",
  "customer.subscription.resumed",
  "credit_note.voided",
  "invoice.marked_uncollectible",
  "invoice.paid",
  "invoice.payment_failed",
  "invoice.sent",
  "invoice.voided",
  "invoice_payment.paid",
  "test_helpers.test_clock.ready",
]);
let secret;
let signed = 0;
let heard;
const all = new Promise((done) => (heard = done));
const server = createServer((request, response) => {
  const parts = [];
  request.on("data", (part) => parts.push(part));
  request.on("end", () => {
    const event = stripe.webhooks.constructEvent(Buffer.concat(parts), request.headers["stripe-signature"], secret);
    signed += 1;
    wanted.delete(event.type);
    if (event.type === "invoice.paid") assert.equal(event.data.object.amount_remaining, 0);
    response.end();
    if (wanted.size === 0) heard();
  });
});
await new Promise((ready) => server.listen(0, "127.0.0.1", ready));
const url = `http://127.0.0.1:${server.address().port}/hook`;
const endpoint = await stripe.webhookEndpoints.create({ url, enabled_events: ["*"] });
({ secret } = endpoint);

const offered = await offers();
await customers();
await subscriptions(offered);
await invoices();
await clocks(offered);
await sold(offered);
await settings();
const late = setTimeout(() => assert.fail(`never heard: ${[...wanted]}`), 20_000);
await all;
clearTimeout(late);
await stripe.webhookEndpoints.del(endpoint.id);
server.close();
server.closeAllConnections();
assert.ok(called.size >= 100, `${called.size} calls: ${[...called].sort()}`);
console.log(`stripe-node ${Stripe.PACKAGE_VERSION} conforms: ${called.size} distinct calls, ${signed} signed events`);
