// A group of elements that serve one form.

import { call, misuse } from "./client.js";
import { Element } from "./element.js";

let groups = 0;

/** The intent of a client secret: where it is, and what it is called. */
export function intentOf(secret) {
  const [id, rest] = String(secret ?? "").split("_secret_");
  const setup = id.startsWith("seti_");
  if (!rest || !(setup || id.startsWith("pi_"))) {
    throw misuse(`The client_secret provided (${secret}) is not that of a PaymentIntent or a SetupIntent.`);
  }
  return {
    id,
    secret,
    noun: setup ? "setup_intent" : "payment_intent",
    member: setup ? "setupIntent" : "paymentIntent",
    path: `${setup ? "setup_intents" : "payment_intents"}/${id}`,
  };
}

export class Elements {
  /**
   * @param {import("./client.js").Client} client
   * @param {Record<string, any>} options
   */
  constructor(client, options = {}) {
    groups += 1;
    this.id = `group${groups}`;
    this.client = options.locale && options.locale !== "auto" ? { ...client, locale: options.locale } : client;
    this.options = options;
    /** Whether every element was found to be whole. */
    this.submitted = false;
    /** @type {Element[]} */
    this.all = [];
    this.listeners = [];
    if (options.clientSecret) intentOf(options.clientSecret);
  }

  create(type, options = {}) {
    if (this.getElement(type)) {
      throw misuse(`Can only create one Element of type ${type} through an elements instance.`);
    }
    const element = new Element(this, type, options);
    this.all.push(element);
    return element;
  }

  getElement(type) {
    return this.all.find((element) => element.type === type) ?? null;
  }

  forget(element) {
    this.all = this.all.filter((it) => it !== element);
  }

  /** What a frame is told of the group before its own options. */
  async shown(element) {
    const appearance = this.options.appearance;
    if (element.type !== "payment") return { appearance };
    let { paymentMethodTypes, amount, currency, mode } = this.options;
    if (this.options.clientSecret) {
      const { object, error } = await this.intent();
      if (error) element.emit("loaderror", { error });
      paymentMethodTypes = object?.payment_method_types;
      ({ amount, currency } = object ?? {});
      mode = object?.object === "setup_intent" ? "setup" : "payment";
    }
    return { appearance, paymentMethodTypes: paymentMethodTypes ?? ["card"], amount, currency, mode };
  }

  intent() {
    const { path, secret } = intentOf(this.options.clientSecret);
    return call(this.client, "GET", path, { client_secret: secret });
  }

  async update(options = {}) {
    this.options = { ...this.options, ...options };
    for (const element of this.all) element.tell("options", { ...(await this.shown(element)), ...element.options });
    for (const listener of this.listeners) listener();
  }

  on(event, handler) {
    if (event === "update-end") this.listeners.push(handler);
  }

  async fetchUpdates() {
    if (!this.options.clientSecret) throw misuse("fetchUpdates needs elements that were created with a clientSecret.");
    const { error } = await this.intent();
    if (error) return { error: { message: error.message } };
    await this.update();
    return {};
  }

  /** Checks every element, and shows in each what is missing. */
  async submit() {
    let selectedPaymentMethod = "card";
    for (const element of this.all.filter((it) => it.port)) {
      const { error, type } = await element.ask("check");
      if (error) return { error };
      if (element.type === "payment") selectedPaymentMethod = type;
    }
    this.submitted = true;
    return { selectedPaymentMethod };
  }

  /** What address and e-mail elements hold, as parameters of a confirmation. */
  async beside() {
    const billing = {};
    let shipping;
    for (const element of this.all.filter((it) => it.port)) {
      if (element.type === "linkAuthentication") {
        const { value } = await element.getValue();
        if (value.email) billing.email = value.email;
      } else if (element.type === "address") {
        const { value } = await element.getValue();
        if (element.options.mode === "shipping") shipping = value;
        else Object.assign(billing, value);
      }
    }
    return { billing, shipping };
  }
}
