// What the shop's key must be allowed, page by page, and what a buyer is told where it is not.
//
// A restricted key with these rights can sell, and open a portal. Whoever steals it can do no more.

import Stripe from "stripe";
import * as machine from "./machine.js";
import * as pages from "./pages.js";

// Writing includes reading. A page that only looks needs no right to write.
const NEEDED = {
  checkout: ["checkout_sessions:write"],
  success: ["checkout_sessions:read"],
  portal: ["customers:read", "billing_portal_sessions:write"],
};

export function show(request, answer) {
  if (!machine.isThis(request)) {
    answer.status(403).send("not for you");
    return;
  }
  answer.json(NEEDED);
}

// The message names the key and the right: it is for the log, and never for a buyer.
export function lacking(error, _request, answer, next) {
  if (!(error instanceof Stripe.errors.StripePermissionError)) {
    next(error);
    return;
  }
  console.error("ERROR the key lacks a right:", error.message);
  answer.status(503).send(pages.page("Closed", "<p>It is our fault. Please come back later.</p>"));
}
