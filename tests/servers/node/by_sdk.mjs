// The signature by the official SDK.
import Stripe from "stripe";
import { SECRET } from "./shop.mjs";

const stripe = new Stripe(process.env.STRIPE_SECRET_KEY);

export function genuine(header, body) {
  return stripe.webhooks.constructEvent(body, header, SECRET);
}
