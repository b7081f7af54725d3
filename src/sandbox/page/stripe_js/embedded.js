// Checkout within the merchant's page: the sandbox's own page in a frame.

import { misuse } from "./client.js";
import { leaveFor } from "./action.js";

/** @type {Embedded | null} */
let shown = null;

class Embedded {
  /**
   * @param {import("./client.js").Client} client
   * @param {string} secret
   * @param {() => void} [onComplete]
   */
  constructor(client, secret, onComplete) {
    this.client = client;
    this.onComplete = onComplete;
    const frame = document.createElement("iframe");
    frame.name = "embedded-checkout";
    frame.title = "Checkout";
    frame.allow = "payment *; clipboard-write";
    frame.style.cssText = "border:0;width:100%;min-height:32rem;display:block;color-scheme:light";
    const lang = client.locale ? `?lang=${client.locale}` : "";
    frame.src = `${client.root}/c/embed/${secret}${lang}`;
    /** @type {HTMLIFrameElement | null} */
    this.frame = frame;
    /** @type {Element | null} */
    this.place = null;
    this.over = false;
  }

  /** @param {string | HTMLElement} location */
  mount(location) {
    if (!this.frame) throw misuse("This Embedded Checkout was destroyed.");
    const place = typeof location === "string" ? document.querySelector(location) : location;
    if (!place) throw misuse(`The selector you specified (${location}) applies to no DOM elements that are currently on the page.`);
    this.unmount();
    this.place = place;
    window.addEventListener("message", this.hear);
    place.replaceChildren(this.frame);
  }

  unmount() {
    window.removeEventListener("message", this.hear);
    this.place?.replaceChildren();
    this.place = null;
  }

  destroy() {
    this.unmount();
    this.frame = null;
    if (shown === this) shown = null;
  }

  hear = (/** @type {MessageEvent} */ { data, source, origin }) => {
    const ours = source === this.frame?.contentWindow && origin === new URL(this.client.root).origin;
    if (!ours || data?.stripegym !== "checkout") return;
    if (data.height && this.frame) this.frame.style.height = `${data.height}px`;
    // Told again by each page that the frame shows after it.
    if (!data.complete || this.over) return;
    this.over = true;
    if (data.leave) leaveFor(data.leave);
    else this.onComplete?.();
  };
}

/**
 * @param {import("./client.js").Client} client
 * @param {import("@stripe/stripe-js").StripeEmbeddedCheckoutOptions} given
 * @returns {Promise<import("@stripe/stripe-js").StripeEmbeddedCheckout>}
 */
export async function embed(client, given) {
  if (shown) throw misuse("You cannot have multiple Embedded Checkout objects.");
  const secret = given.clientSecret ?? (await given.fetchClientSecret?.());
  if (!/^cs_\w+_secret_/.test(secret ?? "")) {
    throw misuse("Invalid value for the client secret of Embedded Checkout: it is that of a Checkout Session.");
  }
  shown = new Embedded(client, String(secret), given.onComplete);
  return shown;
}
