// Leads buyers to the page on which they see to their subscription themselves: card, invoices, the end of it.

import * as buyer from "./buyer.js";
import { stripe } from "./checkout.js";

// A session for this buyer's own customer. Whoever has its address is let in, so each click makes a new one.
export async function enter(request, answer) {
  const email = buyer.email(request);
  const whose = email ? await buyer.customer(email) : null;
  if (!whose) {
    answer.status(404).json({ error: "no customer" });
    return;
  }
  const session = await stripe.billingPortal.sessions.create({
    customer: whose,
    return_url: `${buyer.shop(request)}/`,
  });
  console.log("the portal is open for", whose);
  answer.redirect(303, session.url);
}
