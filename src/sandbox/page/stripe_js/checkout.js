// Checkout on a page of the merchant's own: elements of a session, and what changes and pays it. Members and codes are those
// that the official package declares. Believed: in which words something is refused, when a confirmation can be asked for
// (`canConfirm`), that the shipping address decides about taxes before the billing address, and that what is said here
// alone (email, names, tax id) reaches the session no sooner than it is confirmed.

import { misuse } from "./client.js";
import { Elements } from "./elements.js";
import { above, leaveFor } from "./action.js";
import { sessionOf } from "./checkout_view.js";

/** @typedef {import("./checkout_view.js").Shown} Shown */

/** Only something that looks like an address is one: a mark in it, and something on both sides. */
const EMAIL = /^[^\s@]+@[^\s@]+\.[^\s@]+$/;

class Checkout {
  /**
   * @param {import("./client.js").Client} client
   * @param {import("@stripe/stripe-js").StripeCheckoutElementsSdkOptions} given
   */
  constructor(client, given) {
    if (!given?.clientSecret) throw misuse("You must provide the client secret of a Checkout Session.");
    this.client = client;
    this.secret = given.clientSecret;
    const { billingAddress, shippingAddress, email, phoneNumber } = given.defaultValues ?? {};
    /** @type {import("./checkout_view.js").Said} */
    this.said = {
      email: email ?? null, phone: phoneNumber ?? null, billing: billingAddress ?? null,
      shipping: shippingAddress ?? null, individual: null, business: null, taxId: null,
    };
    this.appearance = given.elementsOptions?.appearance;
    /** @type {Shown | null} */
    this.shown = null;
    /** @type {Function[]} */
    this.handlers = [];
    /** @type {Map<string, import("./element.js").Element>} */
    this.made = new Map();
    /** Whether the payment element holds something whole. */
    this.whole = false;
    this.busy = false;
  }

  /**
   * Asks the sandbox.
   * @param {any} [asked]
   * @returns {Promise<{error?: any}>}
   */
  async ask(asked) {
    const secret = await this.secret;
    const sent = asked === undefined ? {} : { method: "POST", body: JSON.stringify(asked) };
    try {
      const answer = await fetch(`${this.client.root}/c/session/${encodeURIComponent(secret)}`, sent);
      const body = await answer.json();
      if (!answer.ok) return { error: body.error };
      this.shown = body;
      return {};
    } catch (cause) {
      return { error: { message: `The sandbox does not answer at ${this.client.root}: ${cause}` } };
    }
  }

  session() {
    if (!this.shown) throw misuse("The session is known once loadActions() has resolved.");
    return sessionOf(this.shown, this.said, this.whole);
  }

  changed() {
    if (!this.shown) return;
    const session = this.session();
    for (const handler of this.handlers) handler(session);
  }

  /** What is said here alone until it is confirmed. */
  async say(said) {
    Object.assign(this.said, said);
    this.changed();
    return { type: "success", session: this.session() };
  }

  /**
   * Changes the session; refusals are answers.
   * @param {any} wanted
   * @param {(error: any) => any} coded
   * @returns {Promise<any>}
   */
  async change(wanted, coded = () => null) {
    const { error } = await this.ask({ change: wanted });
    if (error) return { type: "error", error: { message: error.message, code: coded(error) } };
    await this.told();
    return { type: "success", session: this.session() };
  }

  /** Tells elements and handlers of a session that is new. */
  async told() {
    await this.made.get("payment")?.group.update(this.offer());
    this.changed();
  }

  /** What the payment element is told of the session. */
  offer() {
    const { session } = /** @type {Shown} */ (this.shown);
    return {
      mode: session.mode, amount: session.amount_total, currency: session.currency,
      paymentMethodTypes: session.payment_method_types,
    };
  }

  /**
   * Makes an element in a group of its own.
   * @param {string} slot
   * @param {string} type
   * @param {Record<string, any>} options
   * @returns {any}
   */
  make(slot, type, options = {}) {
    if (this.made.has(slot)) throw misuse(`Can only create one Element of type ${slot} through a Checkout instance.`);
    const group = new Elements(this.client, { appearance: this.appearance });
    const element = group.create(type, options);
    const forget = group.forget.bind(group);
    group.forget = (it) => {
      forget(it);
      this.made.delete(slot);
    };
    this.made.set(slot, element);
    return element;
  }

  payment(options) {
    const element = this.make("payment", "payment", options);
    element.on("change", ({ complete }) => {
      this.whole = complete;
      this.changed();
    });
    // What it offers is known as soon as the session is.
    this.ready(element);
    return element;
  }

  async ready(element) {
    const { error } = this.shown ? { error: undefined } : await this.ask();
    if (error) element.emit("loaderror", { error });
    else await this.told();
  }

  address(slot, options) {
    const mode = slot === "billingAddress" ? "billing" : "shipping";
    const element = this.make(slot, "address", { ...options, mode });
    element.on("change", ({ complete, value }) => complete && this.locate(mode, { name: value.name, address: value.address }));
    return element;
  }

  contact(options) {
    const element = this.make("contactDetails", "contactDetails", options);
    element.on("change", ({ complete, value }) => complete && this.say({ email: value.email }));
    return element;
  }

  /** Taxes follow from where it goes, else from where the bill goes. */
  async locate(mode, contact) {
    this.said[mode] = contact;
    const place = this.said.shipping ?? this.said.billing;
    if (!place) return this.say({});
    return this.change({ address: place.address });
  }

  async email(email) {
    if (email === null) return this.say({ email });
    if (EMAIL.test(email)) return this.say({ email });
    const code = email.includes("@") ? "invalidEmail" : "incompleteEmail";
    return { type: "error", error: { message: "Your email is invalid.", code } };
  }

  /**
   * Pays, has the bank ask where it wants to, and leaves for the return address.
   * @param {any} given
   * @returns {Promise<any>}
   */
  async confirm(given = {}) {
    const failed = (message) => ({ type: "error", error: { message, code: null } });
    if (this.busy) throw misuse("confirm() is under way already.");
    const redirect = given.redirect ?? "always";
    const back = given.returnUrl ?? this.shown?.session.return_url;
    if (redirect === "always" && !back) {
      throw misuse("A returnUrl is required: on the session, or passed to confirm(), unless `redirect` is \"if_required\".");
    }
    for (const name of ["email", "phoneNumber", "billingAddress", "shippingAddress"]) {
      const own = { email: "email", phoneNumber: "phone", billingAddress: "billing", shippingAddress: "shipping" }[name];
      if (given[name] !== undefined && own) this.said[own] = given[name];
    }
    this.busy = true;
    try {
      const { id, error } = await this.method(given.paymentMethod);
      if (error) return failed(error.message);
      const refused = await this.pay(id, given);
      if (refused) {
        const { message, code, decline_code: declineCode = null } = refused;
        if (!code || refused.type !== "card_error") return failed(message);
        return { type: "error", error: { message, code: "paymentFailed", paymentFailed: { declineCode } } };
      }
    } finally {
      this.busy = false;
      await this.told();
    }
    if (redirect === "if_required") return { type: "success", session: this.session() };
    return leaveFor(String(back).replace("{CHECKOUT_SESSION_ID}", this.session().id));
  }

  /** The payment method that is paid with: one that is named, or what the element holds. */
  async method(named) {
    if (named) return { id: named };
    if (this.shown?.session.amount_total === 0 && this.shown.session.mode === "payment") return { id: "" };
    const element = this.made.get("payment");
    if (!element) throw misuse("A Payment Element has to be mounted, or a paymentMethod be passed to confirm().");
    const { error } = await element.group.submit();
    if (error) return { error };
    const billing = { name: this.said.billing?.name, email: this.said.email, phone: this.said.phone, address: this.said.billing?.address };
    const filled = Object.fromEntries(Object.entries(billing).filter(([, value]) => value));
    const params = { type: "card", billing_details: filled };
    const { object, error: refused } = await element.ask("send", { client: this.client, at: "", path: "payment_methods", params });
    return refused ? { error: refused } : { id: object.id };
  }

  /** Why it is not paid, or nothing. */
  async pay(method, { savePaymentMethod: save = false }) {
    const { email, phone, billing, shipping, taxId, individual, business } = this.said;
    const paid = {
      payment_method: method, due: this.shown?.session.amount_total, email, phone, billing, shipping, save,
      tax_id: taxId?.taxId ?? null, business_name: taxId?.businessName ?? business, individual_name: individual,
    };
    const { error } = await this.ask({ pay: paid });
    if (error) {
      await this.ask();
      return error;
    }
    const asks = () => this.shown?.session.status === "open" && this.shown?.intent?.status === "requires_action";
    if (!asks()) return undefined;
    await above(`${this.client.root}/3ds/${this.shown?.intent?.id}`, async () => {
      await this.ask();
      return !asks();
    });
    if (this.shown?.session.status === "complete") return undefined;
    const told = this.shown?.intent?.error;
    return told ?? { message: "We are unable to authenticate your payment method. Please choose a different payment method and try again." };
  }

  /** @returns {Promise<any>} */
  async validate() {
    const failed = (code, message, all) => ({ type: "error", error: { code, message, validation_errors: all } });
    if (this.made.size === 0) return failed("no_elements", "No elements are mounted.", []);
    const all = [];
    for (const [slot, element] of this.made) {
      if (!element.port) continue;
      const { error } = await element.ask("check");
      if (error) all.push({ element: slot, message: error.message });
    }
    if (all.length) return failed("validation_error", all[0].message, all);
    return { type: "success", session: this.session() };
  }

  async actions() {
    const { error } = await this.ask();
    if (error) return { type: "error", error: { message: error.message, code: null } };
    return { type: "success", actions: this.offered() };
  }

  /** @returns {import("@stripe/stripe-js").StripeCheckoutLoadActionsSuccess} */
  offered() {
    const invalid = (/** @type {any} */ error) => (error.code === "promotion_code_invalid" ? "invalidCode" : null);
    /** @type {any} */
    const actions = {
      getSession: () => this.session(),
      applyPromotionCode: (code) => this.change({ code: String(code) }, invalid),
      removePromotionCode: () => this.change({ code: "" }),
      updateShippingAddress: (contact) => this.locate("shipping", contact),
      updateBillingAddress: (contact) => this.locate("billing", contact),
      updatePhoneNumber: (phone) => this.say({ phone }),
      updateEmail: (email) => this.email(email),
      updateIndividualName: (individual) => this.say({ individual }),
      updateBusinessName: (business) => this.say({ business }),
      updateLineItemQuantity: ({ lineItem, quantity }) => this.change({ quantities: [[lineItem, quantity]] }),
      updateTaxIdInfo: (taxId) => this.say({ taxId }),
      updateShippingOption: (shipping) => this.change({ shipping }),
      addOptionalLineItem: (price) => this.change({ optional: [price, true] }),
      removeOptionalLineItem: (price) => this.change({ optional: [price, false] }),
      confirm: (given) => this.confirm(given),
      validateElements: () => this.validate(),
      runServerUpdate: async (update) => {
        try {
          await update();
        } catch (cause) {
          return { type: "error", error: { message: String(cause), code: null } };
        }
        return this.change({});
      },
    };
    return actions;
  }
}

/**
 * @param {import("./client.js").Client} client
 * @param {import("@stripe/stripe-js").StripeCheckoutElementsSdkOptions} given
 * @returns {import("@stripe/stripe-js").StripeCheckoutElementsSdk}
 */
export function checkoutElements(client, given) {
  const checkout = new Checkout(client, given);
  const made = (/** @type {string} */ slot) => /** @type {any} */ (checkout.made.get(slot) ?? null);
  const absent = (/** @type {string} */ name) => {
    throw misuse(`checkout.${name} is not offered by the sandbox's Stripe.js. At Stripe it is a beta, which accounts are let into one by one.`);
  };
  return {
    on: (event, handler) => {
      if (event === "change") checkout.handlers.push(handler);
    },
    loadActions: () => /** @type {any} */ (checkout.actions()),
    changeAppearance: (appearance) => {
      checkout.appearance = appearance;
      for (const element of checkout.made.values()) element.group.update({ appearance });
    },
    loadFonts: () => {},
    getPaymentElement: () => made("payment"),
    getBillingAddressElement: () => made("billingAddress"),
    getShippingAddressElement: () => made("shippingAddress"),
    getExpressCheckoutElement: () => made("expressCheckout"),
    getCurrencySelectorElement: () => made("currencySelector"),
    getContactDetailsElement: () => made("contactDetails"),
    getTaxIdElement: () => null,
    getTermsElement: () => null,
    getLinkSignupElement: () => made("linkSignup"),
    createPaymentElement: (options) => checkout.payment(options),
    createBillingAddressElement: (options) => checkout.address("billingAddress", options),
    createShippingAddressElement: (options) => checkout.address("shippingAddress", options),
    createExpressCheckoutElement: (options) => checkout.make("expressCheckout", "expressCheckout", options),
    createCurrencySelectorElement: () => checkout.make("currencySelector", "currencySelector"),
    createContactDetailsElement: (options) => checkout.contact(options),
    createLinkSignupElement: (options) => checkout.make("linkSignup", "linkSignup", options),
    createTaxIdElement: () => absent("createTaxIdElement"),
    createTermsElement: () => absent("createTermsElement"),
  };
}
