// `Stripe(key)` as pages know it, answered by the sandbox. What cannot be had offline says so when it is called.

import { call, misuse, rootOf } from "./client.js";
import { Element } from "./element.js";
import { Elements, intentOf } from "./elements.js";
import { actOn, leaveFor, returned } from "./action.js";
import { checkoutElements } from "./checkout.js";
import { embed } from "./embedded.js";

const script = /** @type {HTMLScriptElement | null} */ (document.currentScript);

/** Methods of payment with a confirmation of their own, by the name that it has. */
const BY_NAME = {
  AcssDebit: "acss_debit", Affirm: "affirm", AfterpayClearpay: "afterpay_clearpay", Alipay: "alipay",
  AmazonPay: "amazon_pay", AuBecsDebit: "au_becs_debit", BacsDebit: "bacs_debit", Bancontact: "bancontact",
  Billie: "billie", Blik: "blik", Boleto: "boleto", Card: "card", Cashapp: "cashapp",
  CustomerBalance: "customer_balance", Eps: "eps", Fpx: "fpx", Giropay: "giropay", GrabPay: "grabpay",
  Ideal: "ideal", Klarna: "klarna", Konbini: "konbini", Mobilepay: "mobilepay", Multibanco: "multibanco",
  Oxxo: "oxxo", P24: "p24", PayByBank: "pay_by_bank", PayNow: "paynow", PayPal: "paypal", Pix: "pix",
  PromptPay: "promptpay", SepaDebit: "sepa_debit", Sofort: "sofort", Twint: "twint",
  UsBankAccount: "us_bank_account", WechatPay: "wechat_pay",
};

const OFFLINE = [
  "collectBankAccountForPayment", "collectBankAccountForSetup", "collectBankAccountToken",
  "collectFinancialConnectionsAccounts", "createEphemeralKeyNonce", "createRadarSession",
  "initializePricing", "processOrder", "retrieveOrder", "verifyIdentity",
];

/** What Stripe lets accounts into one by one; its pages are not to be seen, and so not imitated. */
const BETA = ["initCheckoutFormSdk"];

/** What is sent of a payment method's data: everything but the element that holds it. */
function split(data) {
  if (!data || typeof data === "string") return { sent: data, element: undefined };
  const sent = { ...data };
  let element;
  for (const [name, value] of Object.entries(sent)) {
    if (!(value instanceof Element)) continue;
    element = value;
    delete sent[name];
  }
  return { sent, element };
}

/** Sends a call from where the details are: from the element's frame, else from here. */
async function sendFrom(client, element, at, path, params) {
  if (!element) return call(client, "POST", path, params);
  return element.ask("send", { client, at, path, params });
}

/**
 * @param {string} member
 * @param {import("./client.js").Answer} done
 * @returns {any}
 */
function answer(member, { object, error }) {
  return error ? { error } : { [member]: object };
}

/** The parameters of a confirmation, as Stripe.js sends them: a challenge is shown here rather than elsewhere. */
function sdkParams(secret, params) {
  return { ...params, client_secret: secret, use_stripe_sdk: true };
}

async function confirmTyped(client, type, secret, data = {}, options = {}) {
  const named = intentOf(secret);
  const { payment_method, payment_method_options, ...rest } = data;
  const { sent, element } = split(payment_method);
  const params = sdkParams(secret, rest);
  if (typeof sent === "string") params.payment_method = sent;
  else if (sent) params.payment_method_data = { type, ...sent };
  const { sent: own, element: cvc } = split(payment_method_options?.[type]);
  if (own) params.payment_method_options = { [type]: own };
  const from = element ?? cvc;
  const at = element ? "payment_method_data" : "payment_method_options";
  const done = await sendFrom(client, from, at, `${named.path}/confirm`, params);
  if (done.error || options.handleActions === false) return answer(named.member, done);
  return answer(named.member, await actOn(client, named, done.object));
}

/**
 * Confirms with what the elements of a form hold.
 * @param {import("./client.js").Client} client
 * @param {any} given
 * @returns {Promise<any>}
 */
async function confirmAll(client, given) {
  const { elements, clientSecret, redirect = "always" } = given;
  const confirmParams = given.confirmParams ?? {};
  const secret = clientSecret ?? elements?.options.clientSecret;
  const named = intentOf(secret);
  const element = elements?.getElement("payment") ?? elements?.getElement("card");
  if (redirect !== "if_required" && !confirmParams.return_url) {
    throw misuse("You must provide a `return_url` in `confirmParams`, unless you set `redirect: \"if_required\"`.");
  }
  if (elements && !element && !confirmParams.payment_method) {
    throw misuse("`elements` should have a mounted Payment Element.");
  }
  let params = sdkParams(secret, confirmParams);
  if (element) {
    const { error } = await elements.submit();
    if (error) return { error };
    const { billing, shipping } = await elements.beside();
    const data = { type: "card", ...confirmParams.payment_method_data };
    data.billing_details = { ...billing, ...data.billing_details };
    params = { ...params, payment_method_data: data, shipping: confirmParams.shipping ?? shipping };
  }
  const done = await sendFrom(client, element, "payment_method_data", `${named.path}/confirm`, params);
  if (done.error) return { error: done.error };
  const acted = await actOn(client, named, done.object);
  if (acted.error || redirect === "if_required") return answer(named.member, acted);
  return leaveFor(returned(confirmParams.return_url, named.noun, acted.object));
}

async function createPaymentMethod(client, given) {
  const { elements } = given;
  const element = given.element ?? elements?.getElement("payment") ?? elements?.getElement("card");
  if (element) {
    const { billing } = await element.group.beside();
    const params = { type: "card", ...given.params };
    params.billing_details = { ...billing, ...params.billing_details };
    return answer("paymentMethod", await sendFrom(client, element, "", "payment_methods", params));
  }
  const { sent, element: card } = split(given);
  return answer("paymentMethod", await sendFrom(client, card, "", "payment_methods", sent));
}

/**
 * Gathers how somebody wants to pay, for a server that confirms: what is typed, who pays, where it goes.
 * @param {import("./client.js").Client} client
 * @param {any} given
 * @returns {Promise<any>}
 */
async function createConfirmationToken(client, given) {
  const group = given.elements ?? given.element?.group;
  const element = given.element ?? group?.getElement("payment") ?? group?.getElement("card");
  if (!element) throw misuse("`elements` should have a mounted Payment Element.");
  // Believed: that it is asked for before a token is, and so in which words.
  if (element.type === "payment" && !group.submitted) {
    throw misuse("elements.submit() must be called before stripe.createConfirmationToken().");
  }
  const { billing, shipping } = await group.beside();
  const { payment_method_data: data, ...rest } = given.params ?? {};
  const method = { type: "card", ...data, billing_details: { ...billing, ...data?.billing_details } };
  const params = { ...rest, payment_method_data: method, shipping: rest.shipping ?? shipping };
  const later = group.options.setupFutureUsage;
  if (later) params.setup_future_usage = later;
  return answer("confirmationToken", await sendFrom(client, element, "payment_method_data", "confirmation_tokens", params));
}

async function createToken(client, what, data = {}) {
  if (what instanceof Element) {
    return answer("token", await sendFrom(client, what, "token", "tokens", { card: data }));
  }
  if (what === "cvc_update") {
    return answer("token", await sendFrom(client, data, "cvc_update", "tokens", {}));
  }
  return answer("token", await call(client, "POST", "tokens", { [what]: data }));
}

async function actFor(client, secret) {
  const named = intentOf(secret);
  const { object, error } = await call(client, "GET", named.path, { client_secret: secret });
  return answer(named.member, error ? { error } : await actOn(client, named, object));
}

async function retrieve(client, secret) {
  const named = intentOf(secret);
  return answer(named.member, await call(client, "GET", named.path, { client_secret: secret }));
}

async function verifyDeposits(client, secret, params) {
  const named = intentOf(secret);
  const path = `${named.path}/verify_microdeposits`;
  return answer(named.member, await call(client, "POST", path, { ...params, client_secret: secret }));
}

/** A wallet's button: there is no wallet offline, and pages then show none. */
function paymentRequest() {
  const request = {
    canMakePayment: async () => null,
    show: () => {
      throw misuse("show() must not be called where canMakePayment() resolved to null.");
    },
    abort: () => {},
    update: () => {},
    isShowing: () => false,
    on: () => request,
    once: () => request,
    off: () => request,
  };
  return request;
}

/**
 * What is offered here as the official package declares it.
 * @typedef {Pick<import("@stripe/stripe-js").Stripe, "elements" | "confirmPayment" | "confirmSetup"
 *   | "createPaymentMethod" | "createToken" | "handleCardAction" | "handleNextAction" | "retrievePaymentIntent"
 *   | "retrieveSetupIntent" | "verifyMicrodepositsForPayment" | "verifyMicrodepositsForSetup" | "paymentRequest"
 *   | "registerAppInfo" | "createEmbeddedCheckoutPage" | "createConfirmationToken"
 *   | "initCheckoutElementsSdk">} Core
 */

/**
 * What a page calls with its publishable key.
 * @param {string} key
 * @param {Record<string, any>} options
 * @returns {import("@stripe/stripe-js").Stripe}
 */
export function Stripe(key, options = {}) {
  if (typeof key !== "string" || key === "") {
    throw misuse("Please call Stripe() with your publishable key. You used an empty string.");
  }
  if (/^[sr]k_/.test(key)) {
    throw misuse("You should not use your secret key with Stripe.js. Please pass a publishable key instead.");
  }
  if (!script) throw misuse("The sandbox's Stripe.js is loaded by a script element of its own.");
  const locale = options.locale && options.locale !== "auto" ? options.locale : undefined;
  const client = {
    root: rootOf(script.src), key, account: options.stripeAccount, version: options.apiVersion, locale,
  };
  /** @type {Core} */
  const core = {
    elements: (given) => new Elements(client, given),
    confirmPayment: (given) => confirmAll(client, given),
    confirmSetup: (given) => confirmAll(client, given),
    createPaymentMethod: (given) => createPaymentMethod(client, given),
    createConfirmationToken: (given) => createConfirmationToken(client, given),
    createToken: (what, data) => createToken(client, what, data),
    handleCardAction: (secret) => actFor(client, secret),
    handleNextAction: (/** @type {any} */ given) => actFor(client, given.clientSecret),
    retrievePaymentIntent: (secret) => retrieve(client, secret),
    retrieveSetupIntent: (secret) => retrieve(client, secret),
    verifyMicrodepositsForPayment: (secret, data) => verifyDeposits(client, secret, data),
    verifyMicrodepositsForSetup: (secret, data) => verifyDeposits(client, secret, data),
    createEmbeddedCheckoutPage: (given) => embed(client, given),
    initCheckoutElementsSdk: (given) => checkoutElements(client, given),
    paymentRequest,
    registerAppInfo: () => {},
  };
  /** @type {any} */
  const stripe = {
    ...core,
    // What releases before dahlia call it.
    initEmbeddedCheckout: core.createEmbeddedCheckoutPage,
    initCheckout: core.initCheckoutElementsSdk,
    _registerWrapper: () => {},
  };
  for (const [name, type] of Object.entries(BY_NAME)) {
    for (const end of ["Payment", "Setup"]) {
      stripe[`confirm${name}${end}`] = (secret, data, more) => confirmTyped(client, type, secret, data, more);
    }
  }
  for (const name of BETA) {
    stripe[name] = () => {
      throw misuse(`stripe.${name} is not offered by the sandbox's Stripe.js. At Stripe it is a beta; initCheckoutElementsSdk is not.`);
    };
  }
  for (const name of OFFLINE) {
    stripe[name] = () => {
      throw misuse(`stripe.${name} is not offered by the sandbox's Stripe.js.`);
    };
  }
  return stripe;
}

if (script) {
  // `3` or the name of a release, by which the loader of the official package knows what it has found.
  const release = /\/([a-z0-9]+)(\/(stripe\.js)?)?$/.exec(new URL(script.src).pathname)?.[1] ?? "v3";
  const made = (/** @type {string} */ key, /** @type {any} */ options) => Stripe(key, options);
  Object.assign(window, { Stripe: Object.assign(made, { version: release === "v3" ? 3 : release }) });
}
