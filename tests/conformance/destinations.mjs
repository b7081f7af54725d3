// The official stripe-node with v2: event destinations and their thin events, accounts, their people and links.
// Reads STRIPEGYM_API, STRIPEGYM_KEY and STRIPEGYM_NODE_MODULES; ends with a trace where anything differs.

import assert from "node:assert/strict";
import { createServer } from "node:http";
import { fails, Stripe, stripe } from "./desk.mjs";

const { accountLinks, accounts, eventDestinations, events } = stripe.v2.core;
const include = ["webhook_endpoint.signing_secret", "webhook_endpoint.url"];

const arrived = [];
const listener = createServer((request, response) => {
  const parts = [];
  request.on("data", (part) => parts.push(part));
  request.on("end", () => {
    arrived.push([Buffer.concat(parts), request.headers["stripe-signature"]]);
    response.end();
  });
});
await new Promise((resolve) => listener.listen(0, "127.0.0.1", resolve));
const url = `http://127.0.0.1:${listener.address().port}/thin`;

// The next thin event of a type, by the library's own parser.
async function told(secret, type) {
  for (let attempt = 0; attempt < 1500; attempt += 1) {
    while (arrived.length > 0) {
      const [body, signature] = arrived.shift();
      const event = stripe.parseEventNotification(body, signature, secret);
      if (event.type === type) return event;
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return assert.fail(`nobody told of ${type}`);
}

function destination(more = {}) {
  return eventDestinations.create({
    name: "Shop",
    type: "webhook_endpoint",
    event_payload: "thin",
    enabled_events: ["v1.customer.created"],
    webhook_endpoint: { url },
    include,
    ...more,
  });
}

async function destinations() {
  const made = await destination();
  const secret = made.webhook_endpoint.signing_secret;
  assert.equal(made.webhook_endpoint.url, url);
  assert.equal((await eventDestinations.retrieve(made.id)).webhook_endpoint.url, null);
  const customer = await stripe.customers.create({ name: "Aki" });
  const event = await told(secret, "v1.customer.created");
  assert.equal(event.related_object.id, customer.id);
  assert.equal((await event.fetchRelatedObject()).name, "Aki");
  const whole = await event.fetchEvent();
  assert.equal(whole.id, event.id);
  assert.equal((await stripe.events.retrieve(whole.snapshot_event)).type, "customer.created");
  assert.equal((await events.retrieve(event.id)).related_object.type, "customer");
  assert.deepEqual((await events.list({ object_id: customer.id })).data.map((it) => it.id), [event.id]);
  const ping = await eventDestinations.ping(made.id);
  assert.equal((await told(secret, "v2.core.event_destination.ping")).id, ping.id);
  assert.equal((await eventDestinations.disable(made.id)).status, "disabled");
  await fails(null, () => eventDestinations.ping(made.id), { statusCode: 400 });
  assert.equal((await eventDestinations.enable(made.id)).status, "enabled");
  assert.equal((await eventDestinations.update(made.id, { name: "Till" })).name, "Till");
  const more = [];
  for (let at = 0; at < 3; at += 1) more.unshift((await destination()).id);
  const found = [];
  for await (const one of eventDestinations.list({ limit: 2 })) found.push(one.id);
  assert.deepEqual(found, [...more, made.id]);
  for (const one of found) assert.equal((await eventDestinations.del(one)).id, one);
  await fails(null, () => eventDestinations.retrieve(made.id), { statusCode: 404, code: "not_found" });
  await fails(null, () => destination({ enabled_events: ["customer.created"] }), { statusCode: 400 });
}

async function platform() {
  const made = await accounts.create({
    contact_email: "shop@example.com",
    dashboard: "express",
    configuration: { recipient: { capabilities: { stripe_balance: { stripe_transfers: { requested: true } } } } },
    identity: { country: "us", entity_type: "individual", individual: { given_name: "Jenny" } },
    include: ["configuration.recipient", "identity", "requirements"],
  });
  assert.equal(made.identity.individual.given_name, "Jenny");
  assert.equal(made.configuration.recipient.capabilities.stripe_balance.stripe_transfers.status, "restricted");
  const all = await destination({ enabled_events: ["*"], events_from: ["@self", "@accounts"] });
  const secret = all.webhook_endpoint.signing_secret;
  await accounts.update(made.id, { display_name: "Tea" });
  const event = await told(secret, "v2.core.account.updated");
  assert.equal((await event.fetchRelatedObject()).display_name, "Tea");
  const person = await accounts.persons.create(made.id, { given_name: "Aki", surname: "Tanaka" });
  assert.equal((await accounts.persons.update(made.id, person.id, { surname: "Sato" })).surname, "Sato");
  assert.equal((await accounts.persons.retrieve(made.id, person.id)).given_name, "Aki");
  assert.ok((await accounts.persons.list(made.id)).data.some((it) => it.id === person.id));
  assert.equal((await accounts.persons.del(made.id, person.id)).id, person.id);
  const link = await accountLinks.create({
    account: made.id,
    use_case: { type: "account_onboarding", account_onboarding: { refresh_url: "https://example.com/again" } },
  });
  assert.ok(link.url.includes(`/setup/c/${made.id}/`));
  const product = await stripe.products.create({ name: "Tea" }, { stripeContext: made.id });
  const there = await told(secret, "v1.product.created");
  assert.deepEqual([there.context.toString(), there.related_object.id], [made.id, product.id]);
  assert.equal((await there.fetchRelatedObject()).name, "Tea");
  assert.deepEqual((await accounts.list()).data.map((it) => it.id), [made.id]);
  assert.equal((await accounts.close(made.id, { applied_configurations: ["recipient"] })).closed, true);
  assert.equal((await accounts.retrieve(made.id)).closed, true);
}

await destinations();
await platform();
listener.close();
console.log("stripe-node", Stripe.PACKAGE_VERSION, "conforms");
