// A small shop on Node's own library: pages, webhook, ledger. One place of it is broken; mend that.
import { createHash, createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";

const PORT = Number(process.env.PORT ?? 5001);
const KEY = process.env.STRIPE_SECRET_KEY;
const SECRET = process.env.STRIPE_WEBHOOK_SECRET;
const API = process.env.STRIPE_API_BASE ?? "http://127.0.0.1:12111";
const CREEM_KEY = process.env.CREEM_API_KEY ?? "";
const CREEM_SECRET = process.env.CREEM_WEBHOOK_SECRET ?? "";
const CREEM_API = process.env.CREEM_API_BASE_URL ?? API;
const HOME = `http://127.0.0.1:${PORT}`;
const BOOK = new URL("shop.json", import.meta.url);
const [CURRENCY, PRICE] = ["jpy", 500];
const QUOTA = 3;

const book = (() => {
  try {
    return JSON.parse(readFileSync(BOOK, "utf8"));
  } catch {
    return {
      rows: {}, events: {}, refunds: {}, disputes: {}, periods: {}, ended: {}, orders: {}, users: {}, creditOrders: {},
      keyOrders: {}, keys: {}, sales: {}, creemPayments: {}, creemLosses: {},
    };
  }
})();
const keep = () => writeFileSync(BOOK, JSON.stringify(book));

async function stripe(method, path, fields, once) {
  const body = fields && new URLSearchParams(fields).toString();
  const headers = { Authorization: `Bearer ${KEY}`, "Content-Type": "application/x-www-form-urlencoded" };
  if (once) headers["Idempotency-Key"] = once;
  const answer = await fetch(API + path, { method, headers, body });
  const value = await answer.json();
  if (!answer.ok) throw new Error(value.error?.message ?? String(answer.status));
  return value;
}

const newSession = () =>
  stripe("POST", "/v1/checkout/sessions", {
    mode: "payment",
    "line_items[0][price_data][currency]": CURRENCY,
    // What one costs, in the smallest unit of its currency.
    "line_items[0][price_data][unit_amount]": PRICE,
    "line_items[0][price_data][product_data][name]": "Tea",
    "line_items[0][quantity]": 1,
    success_url: HOME + "/success?session_id={CHECKOUT_SESSION_ID}",
    cancel_url: HOME + "/cancel",
  });

async function customer(email) {
  const found = await stripe("GET", "/v1/customers?" + new URLSearchParams({ email, limit: "1" }));
  return (found.data[0] ?? (await stripe("POST", "/v1/customers", { email }))).id;
}

const newCard = async (email) =>
  stripe("POST", "/v1/checkout/sessions", {
    mode: "setup", currency: CURRENCY, customer: await customer(email),
    success_url: HOME + "/success?session_id={CHECKOUT_SESSION_ID}", cancel_url: HOME + "/cancel",
  });

async function newSubscription(email) {
  const who = await customer(email);
  const running = await stripe("GET", `/v1/subscriptions?customer=${who}`);
  const idle = ["incomplete", "incomplete_expired", "canceled"];
  if (running.data.some((it) => !idle.includes(it.status))) return null;
  return stripe("POST", "/v1/checkout/sessions", {
    mode: "subscription", customer: who, "line_items[0][quantity]": 1,
    "line_items[0][price_data][currency]": CURRENCY, "line_items[0][price_data][unit_amount]": PRICE,
    "line_items[0][price_data][recurring][interval]": "month",
    "line_items[0][price_data][product_data][name]": "Tea, every month",
    success_url: HOME + "/success?session_id={CHECKOUT_SESSION_ID}", cancel_url: HOME + "/cancel",
  });
}

async function newPortal(email) {
  const found = await stripe("GET", "/v1/customers?" + new URLSearchParams({ email, limit: "1" }));
  const who = found.data[0]?.id;
  return who ? stripe("POST", "/v1/billing_portal/sessions", { customer: who, return_url: HOME }) : null;
}

async function charge({ email, amount, order }) {
  const found = await stripe("GET", `/v1/customers/${await customer(email)}/payment_methods?type=card`);
  const card = found.data[0];
  if (!card) return 409;
  const fields = {
    amount, currency: CURRENCY, customer: card.customer, payment_method: card.id,
    "payment_method_types[0]": "card", confirm: "true",
    // The buyer is away: what needs them must fail, not wait for them.
    off_session: "true",
  };
  return stripe("POST", "/v1/payment_intents", fields, `charge-${order}`).then(() => 200, () => 402);
}

async function newIntent({ order }) {
  const made = await stripe("POST", "/v1/payment_intents", {
    amount: PRICE, currency: CURRENCY, "automatic_payment_methods[enabled]": "true", "metadata[order]": order,
  }, `intent-${order}`);
  return { payment_intent: made.id, client_secret: made.client_secret };
}

async function buyCredits(user) {
  const made = await newSession();
  book.creditOrders[made.id] = user;
  keep();
  return made;
}

function credits(user) {
  const own = rows().filter((row) => book.creditOrders[row.session_id] === user);
  return own.reduce((sum, row) => {
    // Credits are worth what stayed of their money.
    const stayed = row.amount - row.refunded;
    const came = !["unpaid", "expired", "failed"].includes(row.status);
    return sum + (came ? Math.floor((10 * stayed) / row.amount) : 0);
  }, 0);
}

async function buyKey(user) {
  const made = await stripe("POST", "/v1/checkout/sessions", {
    mode: "subscription", client_reference_id: user, "line_items[0][quantity]": 1,
    "line_items[0][price_data][currency]": CURRENCY, "line_items[0][price_data][unit_amount]": 980,
    "line_items[0][price_data][recurring][interval]": "month",
    "line_items[0][price_data][product_data][name]": "The tea API",
    success_url: HOME + "/success?session_id={CHECKOUT_SESSION_ID}", cancel_url: HOME + "/cancel",
  });
  book.keyOrders[made.id] = user;
  keep();
  return made;
}

const digest = (key) => createHash("sha256").update(key).digest("hex");

async function thanks(user, id) {
  if (book.keyOrders[id] !== user) return [404, null];
  const session = await stripe("GET", `/v1/checkout/sessions/${id}`);
  if (session.payment_status !== "paid" || !session.subscription) return [409, null];
  // A purchase has one key, whoever asks first; what is kept of it is its hash.
  if (Object.values(book.keys).some((it) => it.session === id)) return [200, { key: null }];
  const key = `tea_${randomBytes(32).toString("base64url")}`;
  book.keys[digest(key)] = { session: id, user, subscription: session.subscription, period: 0, used: 0 };
  keep();
  return [200, { key }];
}

function keys(user) {
  const own = Object.values(book.keys).filter((it) => it.user === user);
  return { keys: own.length, used: own.reduce((sum, it) => sum + it.used, 0), quota: QUOTA };
}

function tea(header) {
  const [kind, text = ""] = header.split(" ");
  const key = book.keys[digest(text)];
  if (!key || kind !== "Bearer") return 401;
  // What is over opens nothing any more.
  const over = book.ended[key.subscription];
  if (over) return 401;
  const now = Object.values(book.periods).filter((it) => it.subscription === key.subscription).length;
  if (key.period === now && key.used >= QUOTA) return 429;
  Object.assign(key, { used: key.period === now ? key.used + 1 : 1, period: now });
  keep();
  return 200;
}

async function creem(method, path, fields) {
  const headers = { "x-api-key": CREEM_KEY, "Content-Type": "application/json" };
  const answer = await fetch(CREEM_API + path, { method, headers, body: fields && JSON.stringify(fields) });
  if (!answer.ok) throw new Error(`Creem answers ${answer.status}`);
  return answer.json();
}

async function atCreem({ user, cart }) {
  const found = await creem("GET", "/v1/products/search?page_size=100");
  const known = found.items.find((it) => it.name === "Ten credits");
  const fields = { name: "Ten credits", price: 500, currency: "EUR", billing_type: "onetime" };
  const sold = known ?? (await creem("POST", "/v1/products", fields));
  const made = await creem("POST", "/v1/checkouts", {
    product_id: sold.id, units: 1, success_url: HOME + "/", metadata: { user, cart },
  });
  return { id: made.id, url: made.checkout_url };
}

async function orderAt(_, form) {
  if (orders(form.user).orders.some((it) => it.cart === form.cart && it.paid)) return null;
  const made = form.provider === "creem" ? await atCreem(form) : await newSession();
  book.sales[made.id] = { provider: form.provider, user: form.user, cart: form.cart };
  keep();
  return made;
}

function isCreems(body, header) {
  // Creem's own secret, over the bytes that came.
  const expected = createHmac("sha256", CREEM_SECRET).update(body).digest();
  const given = Buffer.from(header, "hex");
  return given.length === expected.length && timingSafeEqual(given, expected);
}

function recordCreem({ eventType, object }) {
  const named = (it) => it.id ?? it;
  if (eventType === "checkout.completed") {
    const { transaction, amount_paid: amount, currency } = object.order;
    book.creemPayments[object.id] = { payment: named(transaction), amount, currency: currency.toLowerCase() };
  }
  if (["refund.created", "dispute.created"].includes(eventType))
    book.creemLosses[object.id] = { payment: named(object.transaction), amount: object.refund_amount ?? object.amount };
  keep();
}

function orders(user) {
  const known = Object.fromEntries(
    rows().filter((row) => !["unpaid", "expired", "failed"].includes(row.status)).map((row) => [row.session_id, row]),
  );
  const found = Object.entries(book.sales).filter(([, it]) => it.user === user).map(([id, { provider, cart }]) => {
    const row = known[id];
    const paid = book.creemPayments[id];
    const losses = Object.values(book.creemLosses).filter((it) => it.payment === paid?.payment);
    const of = paid
      ? { amount: paid.amount, currency: paid.currency, lost: losses.reduce((sum, it) => sum + it.amount, 0) }
      : row && { amount: row.amount, currency: row.currency, lost: row.refunded + row.disputed };
    return { provider, id, cart, paid: Boolean(of), ...(of ?? { amount: 0, currency: null, lost: 0 }) };
  });
  const left = (it) => (it.paid ? Math.floor((10 * Math.max(it.amount - it.lost, 0)) / it.amount) : 0);
  return { credits: found.reduce((sum, it) => sum + left(it), 0), orders: found };
}

async function enter({ user, email }) {
  // Whose customer it is: who is signed in, not an address.
  const whose = user;
  book.users[whose] ??= (await stripe("POST", "/v1/customers", { "metadata[user]": user })).id;
  keep();
  await stripe("POST", `/v1/customers/${book.users[whose]}`, { email });
  return { customer: book.users[whose] };
}

const RIGHTS = {
  checkout: ["checkout_sessions:write"],
  success: ["checkout_sessions:read"],
  // It looks for the customer, and makes a session of the portal.
  portal: ["customers:read", "billing_portal_sessions:write"],
};

function isGenuine(body, header) {
  const parts = header.split(",").map((part) => part.split("="));
  const when = parts.find(([name]) => name === "t")?.[1] ?? "";
  if (!/^\d+$/.test(when) || Math.abs(Date.now() / 1000 - Number(when)) > 300) return false;
  const expected = createHmac("sha256", SECRET).update(when + ".").update(body).digest();
  // Any v1 that fits is enough; the comparison takes the same time for any bytes.
  return parts.some(([name, value]) => {
    const given = Buffer.from(value ?? "", "hex");
    return name === "v1" && given.length === expected.length && timingSafeEqual(given, expected);
  });
}

function whatItMeans(kind, session) {
  if (kind === "checkout.session.completed") return session.payment_status;
  if (kind === "checkout.session.async_payment_succeeded") return "paid";
  if (kind === "checkout.session.async_payment_failed") return "failed";
  if (kind === "checkout.session.expired") return "expired";
  return null;
}

function record(event) {
  const session = event.data.object;
  const status = whatItMeans(event.type, session);
  // An event that has been here changes nothing.
  if (book.events[event.id]) return;
  book.events[event.id] = true;
  const row = book.rows[session.id];
  if (status !== null && row?.status !== "paid") {
    book.rows[session.id] = {
      session_id: session.id, amount: session.amount_total, currency: session.currency, status,
      created: session.created, updated: event.created, payment_intent: session.payment_intent, event_id: event.id,
    };
  }
  noteLoss(event.type, session);
  notePeriod(event.type, session);
  noteOrder(event.type, session);
  keep();
}

function noteLoss(kind, thing) {
  const note = (list, lost) => {
    const known = list[thing.id]?.lost ?? lost;
    list[thing.id] = { payment: thing.payment_intent, lost: Math.min(known, lost) };
  };
  // A refund that failed came back.
  if (kind.startsWith("refund.")) note(book.refunds, ["failed", "canceled"].includes(thing.status) ? 0 : thing.amount);
  // A dispute that was won came back.
  if (kind.startsWith("charge.dispute.") && !thing.status.startsWith("warning"))
    note(book.disputes, thing.status === "won" ? 0 : thing.amount);
}

function notePeriod(kind, thing) {
  // A subscription that is over stays over.
  if (kind === "customer.subscription.deleted") book.ended[thing.id] = true;
  // Each invoice that was paid is one period.
  if (kind === "invoice.paid") {
    const of = thing.parent?.subscription_details?.subscription;
    if (of) book.periods[thing.id] = { customer: thing.customer, subscription: of, amount: thing.amount_due };
  }
}

function noteOrder(kind, thing) {
  // Money has come once the payment has succeeded.
  if (kind === "payment_intent.succeeded")
    book.orders[thing.id] = { number: thing.metadata.order, amount: thing.amount };
}

function order(number) {
  const came = Object.values(book.orders).filter((it) => it.number === number);
  const amount = came.reduce((sum, it) => sum + it.amount, 0);
  return { status: came.length > 0 ? "paid" : "unpaid", amount };
}

async function access(email) {
  const who = await customer(email);
  const periods = Object.values(book.periods).filter((it) => it.customer === who);
  const total = periods.reduce((sum, it) => sum + it.amount, 0);
  return { access: periods.some((it) => !book.ended[it.subscription]), paid: periods.length, total };
}

const rows = () =>
  Object.values(book.rows).map((kept) => {
    const row = { ...kept };
    const of = (list) =>
      Object.values(list).reduce((sum, it) => sum + (it.payment === row.payment_intent ? it.lost : 0), 0);
    const back = of(book.refunds);
    row.disputed = of(book.disputes);
    row.refunded = back;
    if (back > 0) row.status = back >= row.amount ? "refunded" : "partially_refunded";
    return row;
  });

const escaped = (text) => text.replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`);

// It gives nothing: whoever has the address can ask.
async function verify(user, id) {
  if (book.creditOrders[id] !== user) return null;
  const session = await stripe("GET", `/v1/checkout/sessions/${id}`);
  return { status: session.payment_status, credits: credits(user) };
}

async function success(id) {
  const session = await stripe("GET", `/v1/checkout/sessions/${encodeURIComponent(id)}`).catch(() => null);
  if (!session) return [404, '<p>There is no such order. <a href="/">Back to the shop</a></p>'];
  const text = session.payment_status === "paid" ? "Thank you, it is paid." : "It is not paid yet.";
  const shown = `${session.amount_total} ${session.currency} ${escaped(session.id)}`;
  return [200, `<p>${text} ${shown}</p><a href="/">Back to the shop</a>`];
}

async function handle(method, url, headers, body) {
  if (method === "GET" && url.pathname === "/")
    return [200, '<form method="post" action="/checkout"><button>Buy tea, ¥500</button></form>'];
  if (method === "GET" && url.pathname === "/success") return success(url.searchParams.get("session_id") ?? "");
  if (method === "GET" && url.pathname === "/cancel")
    return [200, '<p>Nothing was paid. <a href="/">Back to the shop</a></p>'];
  if (method === "GET" && url.pathname === "/ledger")
    return [200, JSON.stringify(rows()), { "Content-Type": "application/json" }];
  if (method === "GET" && url.pathname === "/access")
    return [200, JSON.stringify(await access(url.searchParams.get("email"))), { "Content-Type": "application/json" }];
  if (method === "GET" && url.pathname === "/rights")
    return [200, JSON.stringify(RIGHTS), { "Content-Type": "application/json" }];
  if (method === "GET" && url.pathname === "/credits")
    return [200, JSON.stringify({ credits: credits(url.searchParams.get("user")) }), { "Content-Type": "application/json" }];
  if (method === "GET" && url.pathname === "/credits/verify") {
    const found = await verify(url.searchParams.get("user"), url.searchParams.get("session_id"));
    return [found ? 200 : 404, JSON.stringify(found), { "Content-Type": "application/json" }];
  }
  if (method === "GET" && url.pathname === "/keys/thanks") {
    const [status, found] = await thanks(url.searchParams.get("user"), url.searchParams.get("session_id"));
    return [status, JSON.stringify(found), { "Content-Type": "application/json" }];
  }
  if (method === "GET" && url.pathname === "/keys")
    return [200, JSON.stringify(keys(url.searchParams.get("user"))), { "Content-Type": "application/json" }];
  if (method === "GET" && url.pathname === "/api/tea") return [tea(headers.authorization ?? ""), "{}"];
  if (method === "GET" && url.pathname === "/orders")
    return [200, JSON.stringify(orders(url.searchParams.get("user"))), { "Content-Type": "application/json" }];
  if (method === "GET" && url.pathname === "/order")
    return [200, JSON.stringify(order(url.searchParams.get("order"))), { "Content-Type": "application/json" }];
  if (method === "POST" && url.pathname === "/checkout") return [303, "", { Location: (await newSession()).url }];
  const form = Object.fromEntries(new URLSearchParams(method === "POST" ? body.toString() : ""));
  const leads = {
    "/cards": newCard, "/subscribe": newSubscription, "/portal": newPortal, "/credits/buy": buyCredits,
    "/keys/buy": buyKey, "/orders": orderAt,
  }[url.pathname];
  if (method === "POST" && leads) {
    const to = await leads(form.email ?? form.user, form);
    return to ? [303, "", { Location: to.url }] : [409, ""];
  }
  const says = { "/intents": newIntent, "/users": enter }[url.pathname];
  if (method === "POST" && says) return [200, JSON.stringify(await says(form)), { "Content-Type": "application/json" }];
  if (method === "POST" && url.pathname === "/cards/charge") return [await charge(form), ""];
  if (method === "POST" && url.pathname === "/webhook/creem") {
    if (!isCreems(body, headers["creem-signature"] ?? "")) return [400, "no genuine signature"];
    recordCreem(JSON.parse(body.toString()));
    return [200, ""];
  }
  if (method === "POST" && url.pathname === "/webhook") {
    // Check, then read.
    if (!isGenuine(body, headers["stripe-signature"] ?? "")) return [400, "no genuine signature"];
    const event = JSON.parse(body.toString());
    record(event);
    console.log("received", event.type, event.id, event.data.object.id ?? "");
    return [200, ""];
  }
  return [404, "<p>There is no such page.</p>"];
}

createServer((request, response) => {
  const chunks = [];
  request.on("data", (chunk) => chunks.push(chunk));
  request.on("end", async () => {
    const url = new URL(request.url, HOME);
    const asked = handle(request.method, url, request.headers, Buffer.concat(chunks));
    const [status, text, headers = {}] = await asked.catch((error) => [500, escaped(error.message)]);
    console.log(request.method, url.pathname, status);
    response.writeHead(status, { "Content-Type": "text/html; charset=utf-8", ...headers }).end(text);
  });
}).listen(PORT, "127.0.0.1", () => console.log(`listening on ${HOME}`));
