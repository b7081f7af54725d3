// What a payer has to do after a confirmation: a bank's question in a frame above the page, a page elsewhere.

import { call } from "./client.js";

/** A promise for a page that is being left. */
const LEAVING = new Promise(() => {});

/**
 * Sends the page on; nothing after it happens.
 * @param {string} url
 * @returns {Promise<any>}
 */
export function leaveFor(url) {
  window.location.assign(url);
  return LEAVING;
}

/** The merchant's address with what became of the intent, as the API's own redirects have it. */
export function returned(url, noun, intent) {
  const to = new URL(url, window.location.href);
  to.searchParams.set(noun, intent.id);
  to.searchParams.set(`${noun}_client_secret`, intent.client_secret);
  to.searchParams.set("redirect_status", "succeeded");
  return to.href;
}

/**
 * Shows a page of the sandbox above this one until `isOver` says so, or until it is closed.
 * @param {string} url
 * @param {() => Promise<boolean>} isOver
 */
export function above(url, isOver) {
  const before = /** @type {HTMLElement | null} */ (document.activeElement);
  const veil = document.createElement("div");
  veil.setAttribute("role", "dialog");
  veil.setAttribute("aria-modal", "true");
  veil.setAttribute("aria-label", "3D Secure");
  veil.style.cssText =
    "position:fixed;inset:0;z-index:2147483647;background:rgba(22,32,46,.6);display:flex;align-items:center;justify-content:center";
  const frame = document.createElement("iframe");
  frame.name = "__privateStripeFrameChallenge";
  frame.title = "3D Secure";
  frame.style.cssText = "border:0;border-radius:10px;background:#fff;width:min(30rem,100vw);height:min(36rem,100vh)";
  const close = document.createElement("button");
  close.type = "button";
  close.textContent = "×";
  close.setAttribute("aria-label", "Close");
  close.style.cssText =
    "position:absolute;top:.75rem;right:.75rem;width:2.75rem;height:2.75rem;font-size:1.5rem;border:0;border-radius:50%;background:#fff;color:#16202e;cursor:pointer";
  veil.append(frame, close);
  return new Promise((resolve) => {
    const end = () => {
      document.removeEventListener("keydown", leave, true);
      veil.remove();
      before?.focus?.();
      resolve(undefined);
    };
    const leave = (event) => event.key === "Escape" && end();
    // Each page that the frame shows may be the last one.
    frame.addEventListener("load", async () => (await isOver()) && end());
    close.addEventListener("click", end);
    document.addEventListener("keydown", leave, true);
    frame.src = url;
    document.body.append(veil);
    close.focus();
  });
}

/**
 * Has the payer do what an intent asks for; what became of the intent.
 * @param {import("./client.js").Client} client
 * @param {{path: string, secret: string, noun: string}} named
 * @param {any} intent
 * @returns {Promise<import("./client.js").Answer>}
 */
export async function actOn(client, named, intent) {
  const action = intent.status === "requires_action" ? intent.next_action : null;
  const again = () => call(client, "GET", named.path, { client_secret: named.secret });
  if (action?.type === "redirect_to_url") return leaveFor(action.redirect_to_url.url);
  if (action?.type === "konbini_display_details") {
    await above(action.konbini_display_details.hosted_voucher_url, async () => false);
    return again();
  }
  if (action?.type !== "use_stripe_sdk") return { object: intent };
  await above(action.use_stripe_sdk.stripe_js, async () => {
    const { object } = await again();
    return object !== undefined && object.status !== "requires_action";
  });
  const { object, error } = await again();
  if (error) return { error };
  if (object.status !== "requires_action" && object.status !== "requires_payment_method") return { object };
  const told = {
    type: "invalid_request_error",
    code: `${named.noun}_authentication_failure`,
    message:
      "We are unable to authenticate your payment method. Please choose a different payment method and try again.",
  };
  const reason = object.last_payment_error ?? object.last_setup_error;
  return { error: { ...(reason ?? told), [named.noun]: object } };
}
