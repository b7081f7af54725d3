// Elements on the page's side: each is a frame of the sandbox's, so that the page never sees a card number. The frame
// speaks over a port of its own.

import { misuse } from "./client.js";

/** What screen readers say of each frame, and that there is such an element. */
const TITLES = {
  card: "Secure card payment input frame",
  cardNumber: "Secure card number input frame",
  cardExpiry: "Secure expiration date input frame",
  cardCvc: "Secure CVC input frame",
  payment: "Secure payment input frame",
  address: "Secure address input frame",
  linkAuthentication: "Secure email input frame",
  contactDetails: "Secure email input frame",
};

/** Elements whose inside is another one's. */
const INSIDE = { contactDetails: "linkAuthentication" };

/** Elements that only show something where a wallet, a partner or a second currency is there, which is nowhere offline. */
const EMPTY = ["expressCheckout", "paymentMethodMessaging", "paymentRequestButton", "linkSignup", "currencySelector"];

let frames = 0;

export class Element {
  /**
   * @param {import("./elements.js").Elements} group
   * @param {string} type
   * @param {Record<string, any>} options
   */
  constructor(group, type, options) {
    if (!(type in TITLES) && !EMPTY.includes(type)) {
      throw misuse(`The element \`${type}\` is not offered by the sandbox's Stripe.js.`);
    }
    this.group = group;
    this.type = type;
    this.options = options;
    /** @type {Map<string, Set<Function>>} */
    this.handlers = new Map();
    /** @type {HTMLElement | null} */
    this.place = null;
    /** @type {MessagePort | null} */
    this.port = null;
    this.waiting = new Map();
    this.asked = 0;
    this.shown = { empty: true, complete: false };
    this.destroyed = false;
  }

  on(event, handler) {
    if (!this.handlers.has(event)) this.handlers.set(event, new Set());
    this.handlers.get(event)?.add(handler);
    return this;
  }

  once(event, handler) {
    const first = (value) => {
      this.off(event, first);
      handler(value);
    };
    return this.on(event, first);
  }

  off(event, handler) {
    if (handler) this.handlers.get(event)?.delete(handler);
    else this.handlers.delete(event);
    return this;
  }

  emit(event, value = {}) {
    const told = { elementType: this.type, ...value };
    for (const handler of [...(this.handlers.get(event) ?? [])]) handler(told);
  }

  mount(where) {
    if (this.destroyed) throw misuse("This Element has been destroyed. Please create a new one.");
    const place = typeof where === "string" ? document.querySelector(where) : where;
    if (!place) {
      throw misuse(`The selector you specified (${where}) applies to no DOM elements that are currently on the page.`);
    }
    if (this.place === place) return;
    this.unmount();
    this.place = place;
    place.replaceChildren();
    this.dress({ ...this.shown });
    if (EMPTY.includes(this.type)) {
      queueMicrotask(() => this.emit("ready", { availablePaymentMethods: undefined }));
      return;
    }
    place.append(this.frame());
    this.labels = [...document.querySelectorAll("label")].filter((it) => place.id && it.htmlFor === place.id);
    for (const label of this.labels) label.addEventListener("click", this.focus);
  }

  frame() {
    const frame = document.createElement("iframe");
    frames += 1;
    frame.name = `__privateStripeFrame${frames}`;
    frame.title = TITLES[this.type];
    frame.allow = "payment *; clipboard-write";
    frame.style.cssText = "border:0;width:100%;height:1.2em;display:block;color-scheme:light";
    const { root, locale } = this.group.client;
    frame.src = `${root}/v3/frame/${INSIDE[this.type] ?? this.type}${locale ? `?lang=${locale}` : ""}`;
    frame.addEventListener("load", () => this.connect(frame));
    frame.addEventListener("error", () => this.emit("loaderror", { error: { type: "api_connection_error" } }));
    const box = document.createElement("div");
    box.className = "__PrivateStripeElement";
    box.style.cssText = "margin:0;padding:0;border:0;display:block;background:transparent;position:relative";
    box.append(frame);
    return box;
  }

  async connect(frame) {
    const { port1, port2 } = new MessageChannel();
    this.port?.close();
    this.port = port1;
    port1.onmessage = ({ data }) => this.hear(frame, data);
    const { client, id } = this.group;
    const options = { ...(await this.group.shown(this)), ...this.options };
    frame.contentWindow.postMessage({ stripegym: "connect", group: id, options }, new URL(client.root).origin, [port2]);
  }

  hear(frame, { event, value, number }) {
    if (event === "answer") {
      this.waiting.get(number)?.(value);
      this.waiting.delete(number);
    } else if (event === "height") {
      frame.style.height = `${value}px`;
    } else if (event === "change") {
      this.shown = value;
      this.dress(value);
      this.emit("change", value);
    } else {
      if (event === "focus" || event === "blur") this.dress({ ...this.shown, focus: event === "focus" });
      this.emit(event, value);
    }
  }

  /**
   * Classes of the page's own element, by which its styles follow.
   * @param {{empty?: boolean, complete?: boolean, error?: any, focus?: boolean}} shown
   */
  dress({ empty, complete, error, focus }) {
    const named = this.options.classes ?? {};
    const set = (name, usual, on) => {
      const words = (named[name] ?? usual).split(" ").filter(Boolean);
      for (const word of words) this.place?.classList.toggle(word, Boolean(on));
    };
    set("base", "StripeElement", true);
    set("empty", "StripeElement--empty", empty);
    set("complete", "StripeElement--complete", complete);
    set("invalid", "StripeElement--invalid", error);
    set("focus", "StripeElement--focus", focus);
  }

  /**
   * Has the frame do something; what it answers.
   * @param {string} what
   * @param {any} value
   * @returns {Promise<any>}
   */
  ask(what, value = {}) {
    if (!this.place) {
      throw misuse(
        "We could not retrieve data from the specified Element. Please make sure the Element you are attempting to use is still mounted.",
      );
    }
    this.asked += 1;
    const number = this.asked;
    const answered = new Promise((resolve) => this.waiting.set(number, resolve));
    const send = () => this.port?.postMessage({ what, value, number });
    if (this.port) send();
    else this.once("ready", send);
    return answered;
  }

  tell(what, value = {}) {
    this.port?.postMessage({ what, value });
  }

  update(options = {}) {
    this.options = { ...this.options, ...options };
    this.tell("options", this.options);
    return this;
  }

  focus = () => this.tell("focus");

  blur() {
    this.tell("blur");
  }

  clear() {
    this.tell("clear");
  }

  collapse() {
    return this;
  }

  getValue() {
    return this.ask("value");
  }

  unmount() {
    for (const label of this.labels ?? []) label.removeEventListener("click", this.focus);
    this.port?.close();
    this.port = null;
    this.place?.replaceChildren();
    this.place = null;
  }

  destroy() {
    this.unmount();
    this.destroyed = true;
    this.group.forget(this);
  }
}
