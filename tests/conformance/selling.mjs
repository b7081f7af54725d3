// The official stripe-node against the sandbox: what is taken off, what is added, and what a buyer is sent to.
// Reads STRIPEGYM_API, STRIPEGYM_KEY and STRIPEGYM_NODE_MODULES; ends with a trace where anything differs.

import assert from "node:assert/strict";
import { fails as refused, stripe } from "./desk.mjs";

const fails = (call, expected) => refused(undefined, call, expected);

async function offers() {
  await stripe.coupons.create({ id: "TEN", percent_off: 10 });
  const off = await stripe.coupons.create({ amount_off: 500, currency: "usd" });
  assert.equal((await stripe.coupons.update(off.id, { name: "Off" })).name, "Off");
  assert.equal((await stripe.coupons.retrieve(off.id)).amount_off, 500);
  assert.equal((await stripe.coupons.list({ limit: 1 })).data[0].id, off.id);
  assert.equal((await stripe.coupons.del(off.id)).deleted, true);
  const promotion = { type: "coupon", coupon: "TEN" };
  const code = await stripe.promotionCodes.create({ promotion });
  assert.match(code.code, /^[A-Z0-9]{8}$/);
  assert.equal((await stripe.promotionCodes.retrieve(code.id)).promotion.coupon, "TEN");
  assert.equal((await stripe.promotionCodes.list({ coupon: "TEN" })).data.length, 1);
  await fails(() => stripe.promotionCodes.create({ promotion, code: "a b" }), { param: "code", statusCode: 400 });
  return code;
}

async function taxes() {
  const rate = await stripe.taxRates.create({ display_name: "JCT", percentage: 10, inclusive: true });
  assert.equal((await stripe.taxRates.update(rate.id, { description: "Japan" })).description, "Japan");
  assert.equal((await stripe.taxRates.list({ active: true })).data[0].id, rate.id);
  const customer = await stripe.customers.create();
  const made = await stripe.customers.createTaxId(customer.id, { type: "gb_vat", value: "GB123456789" });
  assert.equal((await stripe.customers.retrieveTaxId(customer.id, made.id)).country, "GB");
  assert.equal((await stripe.customers.listTaxIds(customer.id)).data.length, 1);
  assert.equal((await stripe.customers.deleteTaxId(customer.id, made.id)).deleted, true);
  await fails(() => stripe.customers.deleteDiscount(customer.id), { code: "resource_missing", statusCode: 404 });
  return rate;
}

async function sessions(code, rate) {
  const product_data = { name: "Tea" };
  const line = { quantity: 2, tax_rates: [rate.id], price_data: { currency: "jpy", unit_amount: 1100, product_data } };
  const made = await stripe.checkout.sessions.create({
    mode: "payment",
    success_url: "https://shop.example/",
    line_items: [line],
    discounts: [{ promotion_code: code.id }],
    expand: ["total_details.breakdown"],
  });
  assert.deepEqual([made.amount_subtotal, made.amount_total], [2200, 1980]);
  assert.equal(made.total_details.amount_tax, 180);
  assert.equal(made.total_details.breakdown.discounts[0].amount, 220);
  const lines = await stripe.checkout.sessions.listLineItems(made.id, { expand: ["data.taxes"] });
  assert.equal(lines.data[0].taxes[0].rate.id, rate.id);
  const automatic = await stripe.checkout.sessions.create({
    mode: "payment",
    success_url: "https://shop.example/",
    automatic_tax: { enabled: true },
    line_items: [{ quantity: 1, price_data: line.price_data }],
  });
  assert.equal(automatic.automatic_tax.status, "requires_location_inputs");
}

async function linksAndShipping() {
  const fixed_amount = { amount: 300, currency: "jpy" };
  const rate = await stripe.shippingRates.create({ display_name: "Post", type: "fixed_amount", fixed_amount });
  assert.equal((await stripe.shippingRates.update(rate.id, { active: false })).active, false);
  assert.equal((await stripe.shippingRates.retrieve(rate.id)).fixed_amount.amount, 300);
  const product_data = { name: "Tea" };
  const price = await stripe.prices.create({ currency: "jpy", unit_amount: 500, product_data });
  const link = await stripe.paymentLinks.create({ line_items: [{ price: price.id, quantity: 1 }] });
  assert.equal((await stripe.paymentLinks.retrieve(link.id)).url, link.url);
  assert.equal((await stripe.paymentLinks.listLineItems(link.id)).data[0].price.id, price.id);
  assert.equal((await stripe.paymentLinks.update(link.id, { metadata: { k: "v" } })).metadata.k, "v");
  const opened = await fetch(link.url, { redirect: "manual" });
  assert.equal(opened.status, 303);
  const [session] = (await stripe.checkout.sessions.list({ payment_link: link.id })).data;
  assert.equal(session.amount_total, 500);
}

await sessions(await offers(), await taxes());
await linksAndShipping();
console.log("stripe-node conforms in what it sells");
