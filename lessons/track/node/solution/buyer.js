// Who a buyer is at Stripe. A shop with a login takes the address from there, and never from a form.

import { stripe } from "./checkout.js";
import * as settings from "./settings.js";

// The buyer's address, as the form or the query says it; null where that is no address.
export function email(request) {
  const given = String(request.body?.email ?? request.query?.email ?? "");
  return /^[^@\s]+@[^@\s]+$/.test(given) ? given : null;
}

// Who is signed in, as the form or the query says it; null where that is nobody.
export function user(request) {
  const given = String(request.body?.user ?? request.query?.user ?? "");
  return /^[A-Za-z0-9-]{1,64}$/.test(given) ? given : null;
}

export async function customer(address) {
  const found = await stripe.customers.list({ email: address, limit: 1 });
  return found.data[0]?.id ?? null;
}

// The one customer of this address, made where there is none yet.
export async function welcome(address) {
  return (await customer(address)) ?? (await stripe.customers.create({ email: address })).id;
}

// Where the buyer's browser finds the shop.
export function shop(request) {
  return settings.publicUrl || `${request.protocol}://${request.get("host")}`;
}
