// The inside of an element: reads what is typed, tells the page whether it is whole, and sends it to the API itself.

import { call, rootOf } from "./client.js";

const BRANDS = [
  { brand: "amex", begins: /^3[47]/, lengths: [15], cvc: 4 },
  { brand: "diners", begins: /^3(?:0[0-5]|[689])/, lengths: [14, 16], cvc: 3 },
  { brand: "jcb", begins: /^35(?:2[89]|[3-8])/, lengths: [16], cvc: 3 },
  { brand: "discover", begins: /^6(?:011|4[4-9]|5)/, lengths: [16], cvc: 3 },
  { brand: "unionpay", begins: /^62/, lengths: [16, 19], cvc: 3 },
  { brand: "mastercard", begins: /^(?:5[1-5]|2(?:22[1-9]|2[3-9]|[3-6]|7[01]|720))/, lengths: [16], cvc: 3 },
  { brand: "visa", begins: /^4/, lengths: [13, 16, 19], cvc: 3 },
];
const UNKNOWN = { brand: "unknown", begins: /^/, lengths: [16], cvc: 3 };

/** Countries whose cards ask for a postal code. */
const WITH_POSTAL_CODE = ["US", "GB", "CA"];

export const brandOf = (number) => BRANDS.find((it) => it.begins.test(number)) ?? UNKNOWN;

/** Whether the last digit is the check digit of the others. */
export function isChecked(number) {
  let sum = 0;
  [...number].reverse().forEach((digit, at) => {
    const value = Number(digit) * (at % 2 === 1 ? 2 : 1);
    sum += value > 9 ? value - 9 : value;
  });
  return number !== "" && sum % 10 === 0;
}

/** Digits alone; full-width ones of an input method count. */
export const digitsOf = (text) => text.normalize("NFKC").replace(/\D/g, "");

export function grouped(number) {
  const parts = brandOf(number).brand === "amex" ? /^(\d{0,4})(\d{0,6})(\d{0,5})/ : /^(\d{0,4})(\d{0,4})(\d{0,4})(\d{0,7})/;
  return (parts.exec(number) ?? []).slice(1).filter(Boolean).join(" ");
}

/** Month and year of `1228`, `12/28`, `12 / 2028`. */
export function expiryOf(text) {
  let digits = digitsOf(text);
  // A single digit above one is a whole month.
  if (/^[2-9]/.test(digits) || /^\s*1\s*\//.test(text)) digits = `0${digits}`;
  const year = digits.slice(2, 6);
  return { month: digits.slice(0, 2), year: year.length > 2 ? year.slice(-2) : year, whole: year.length !== 3 && digits.length >= 4 };
}

/** What is wrong with each field, by the name that Stripe.js gives it; null where nothing is, for what is typed. */
export const RULES = {
  number(text) {
    const number = digitsOf(text);
    const longest = Math.max(...brandOf(number).lengths);
    if (!brandOf(number).lengths.includes(number.length)) return number.length < longest ? "incomplete_number" : "invalid_number";
    return isChecked(number) ? null : "invalid_number";
  },
  expiry(text, _others, now = new Date()) {
    const { month, year, whole } = expiryOf(text);
    if (Number(month) > 12 || month === "00") return "invalid_expiry_month";
    if (!whole) return "incomplete_expiry";
    const at = (2000 + Number(year)) * 12 + Number(month);
    const from = now.getFullYear() * 12 + now.getMonth() + 1;
    if (at < from) return Number(year) + 2000 < now.getFullYear() ? "invalid_expiry_year_past" : "invalid_expiry_month_past";
    return at > from + 50 * 12 ? "invalid_expiry_year" : null;
  },
  cvc(text, others) {
    const wanted = brandOf(digitsOf(others.number ?? "")).cvc;
    return digitsOf(text).length === wanted ? null : "incomplete_cvc";
  },
  postal: (text) => (text.trim() === "" ? "incomplete_zip" : null),
  email: (text) => (/^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(text.trim()) ? null : text.trim() === "" ? "incomplete_email" : "invalid_email"),
  name: (text) => (text.trim() === "" ? "incomplete_name" : null),
  line1: (text) => (text.trim() === "" ? "incomplete_address" : null),
  city: (text) => (text.trim() === "" ? "incomplete_address" : null),
};

const kind = document.body.dataset.kind ?? "";
const group = { id: "", options: {} };
/** @type {MessagePort | null} */
let port = null;
let shownErrors = false;

/** @returns {(HTMLInputElement | HTMLSelectElement)[]} */
const fields = () => /** @type {any} */ ([...document.querySelectorAll("[data-field]")]).filter((it) => !it.closest("[hidden]"));
const fieldOf = (name) => fields().find((it) => it.dataset.field === name);
const own = () => Object.fromEntries(fields().map((it) => [it.dataset.field ?? "", it.value]));

/** The other frames of the group: number, expiry and CVC may stand apart. */
function siblings() {
  const found = [];
  for (let at = 0; at < window.parent.length; at += 1) {
    try {
      const other = /** @type {any} */ (window.parent[at]).stripegym;
      if (other && other.group.id === group.id && other.isCard) found.push(other);
    } catch {
      // A frame of somebody else's.
    }
  }
  return found;
}

const isCard = kind.startsWith("card");
Object.assign(window, { stripegym: { group, isCard, own } });

const typed = () => (isCard ? Object.assign({}, ...siblings().map((it) => it.own()), own()) : own());

function method() {
  const chosen = /** @type {HTMLInputElement | null} */ (document.querySelector("[name=method]:checked"));
  return chosen?.value ?? "card";
}

function faultOf(field, values) {
  const rule = RULES[field.dataset.field ?? ""];
  if (!rule || field.dataset.optional !== undefined) return null;
  return rule(field.value, values);
}

function state() {
  const values = typed();
  const faults = fields().map((field) => ({ field, code: faultOf(field, values) })).filter((it) => it.code);
  const inputs = fields().filter((it) => it.tagName === "INPUT");
  const empty = inputs.every((it) => it.value === "");
  const complete = faults.length === 0;
  // What is only not there yet is no fault to be told before the form is sent.
  const told = faults.find(({ field, code }) => field.value !== "" && (shownErrors || !String(code).startsWith("incomplete")));
  const first = shownErrors ? (told ?? faults[0]) : told;
  const error = first && { type: "validation_error", code: String(first.code), message: words(first.code) };
  return { values, faults, empty, complete, error };
}

const words = (code) => document.body.dataset[`error_${code}`] ?? String(code);

function told() {
  const { values, empty, complete, error } = state();
  const change = { empty, complete, error };
  if (kind === "card" || kind === "cardNumber") Object.assign(change, { brand: brandOf(digitsOf(values.number ?? "")).brand });
  if (kind === "card") Object.assign(change, { value: { postalCode: values.postal ?? "" } });
  if (kind === "payment") Object.assign(change, { collapsed: false, value: { type: method() } });
  if (kind === "linkAuthentication" || kind === "address") Object.assign(change, valueOf(), { elementMode: group.options.mode });
  return change;
}

function valueOf() {
  const { values, complete } = state();
  if (kind === "linkAuthentication") return { complete, value: { email: (values.email ?? "").trim() } };
  const address = {
    line1: values.line1 ?? "", line2: values.line2 || null, city: values.city ?? "", state: values.state ?? "",
    postal_code: values.postal ?? "", country: values.country ?? "",
  };
  const phone = values.phone ? { phone: values.phone } : {};
  return { complete, isNewAddress: true, value: { name: (values.name ?? "").trim(), address, ...phone } };
}

/** Marks what is wrong, below the fields. */
function mark() {
  const { faults, error } = state();
  for (const field of fields()) {
    const is = faults.some((it) => it.field === field) && (shownErrors || (field.value !== "" && field !== document.activeElement && error !== undefined));
    field.setAttribute("aria-invalid", String(is));
  }
  const line = document.getElementById("error");
  if (line) line.textContent = kind === "payment" || kind === "address" || kind === "linkAuthentication" ? (error?.message ?? "") : "";
}

let last = "";

/** Tells the page what is new. */
function changed() {
  mark();
  const value = told();
  if (JSON.stringify(value) === last) return;
  last = JSON.stringify(value);
  port?.postMessage({ event: "change", value });
}

/** What is typed, as the API takes it. */
function details() {
  const values = typed();
  const { month, year } = expiryOf(values.expiry ?? "");
  const card = { number: digitsOf(values.number ?? ""), exp_month: month, exp_year: year ? `20${year}` : "", cvc: digitsOf(values.cvc ?? "") };
  const address = { postal_code: values.postal || undefined, country: kind === "payment" ? values.country : undefined };
  const billing = { name: values.name || undefined, email: values.email || undefined, address };
  return { card, billing };
}

/** Puts what is typed where a call wants it. */
export function filled(params, at, { card, billing }, type) {
  if (at === "token") return { card: { ...card, address_zip: billing.address.postal_code, ...params.card } };
  if (at === "cvc_update") return { cvc_update: { cvc: card.cvc } };
  if (at === "payment_method_options") {
    const options = params.payment_method_options ?? {};
    return { ...params, payment_method_options: { ...options, card: { ...options.card, cvc: card.cvc } } };
  }
  const into = at === "" ? params : (params[at] ?? {});
  const given = into.billing_details ?? {};
  const address = { ...billing.address, ...given.address };
  const merged = { ...into, billing_details: { ...billing, ...given, address } };
  merged.type = kind === "payment" ? type : (into.type ?? "card");
  if (merged.type === "card") merged.card = { ...into.card, ...card };
  return at === "" ? merged : { ...params, [at]: merged };
}

async function send({ client, at, path, params }) {
  shownErrors = true;
  const { error } = state();
  changed();
  if (error) return { error };
  const whole = filled(params, at, details(), method());
  const here = { ...client, root: rootOf(window.location.href) };
  if (whole.payment_method_data?.card) {
    // A card becomes a PaymentMethod of its own: the API takes numbers nowhere else.
    const { payment_method_data, ...rest } = whole;
    const made = await call(here, "POST", "payment_methods", payment_method_data);
    return made.error ? made : call(here, "POST", path, { ...rest, payment_method: made.object.id });
  }
  return call(here, "POST", path, whole);
}

function check() {
  shownErrors = true;
  changed();
  const { error } = state();
  return error ? { error } : { type: method() };
}

/** Colours and letters of the merchant's page. */
function dress({ style, appearance, hidePostalCode, disabled, defaultValues, paymentMethodTypes }) {
  const root = document.documentElement;
  const names = { colorPrimary: "--accent", colorText: "--ink", colorBackground: "--paper", colorDanger: "--bad", borderRadius: "--round", fontSizeBase: "--size", fontFamily: "--family" };
  for (const [name, value] of Object.entries(appearance?.variables ?? {})) {
    if (name in names) root.style.setProperty(names[name], String(value));
  }
  root.classList.toggle("night", appearance?.theme === "night");
  const base = style?.base ?? {};
  for (const name of ["color", "fontFamily", "fontSize", "fontWeight", "lineHeight", "letterSpacing", "textAlign"]) {
    if (base[name] !== undefined) /** @type {any} */ (document.body.style)[name] = base[name];
  }
  const postal = document.getElementById("postal-row");
  if (postal && kind === "card") postal.hidden = Boolean(hidePostalCode);
  for (const field of fields()) if (disabled !== undefined) field.disabled = disabled;
  const known = { ...defaultValues, ...defaultValues?.billingDetails, ...defaultValues?.address, ...defaultValues?.billingDetails?.address };
  for (const [name, value] of Object.entries(known)) {
    const field = fieldOf(name === "postal_code" ? "postal" : name);
    if (field && field.value === "" && typeof value === "string") field.value = value;
  }
  if (paymentMethodTypes) offer(paymentMethodTypes);
  shape();
}

/** The methods of payment that the intent takes; one alone needs no choice. */
function offer(types) {
  const choices = [...document.querySelectorAll("[data-method]")];
  for (const it of choices) /** @type {HTMLElement} */ (it).hidden = !types.includes(/** @type {HTMLElement} */ (it).dataset.method ?? "");
  const offered = /** @type {HTMLElement[]} */ (choices.filter((it) => !(/** @type {HTMLElement} */ (it).hidden)));
  const list = document.getElementById("methods");
  if (list) list.hidden = offered.length < 2;
  const radio = offered[0]?.querySelector("input");
  if (radio && !offered.some((it) => it.querySelector("input")?.checked)) radio.checked = true;
}

/** Shows what the chosen method and country ask for. */
function shape() {
  for (const it of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("[data-for]"))) it.hidden = it.dataset.for !== method();
  const postal = document.getElementById("postal-row");
  const country = /** @type {HTMLSelectElement | null} */ (document.querySelector("[data-field=country]"));
  if (postal && kind === "payment" && country) {
    postal.hidden = method() !== "card" || !WITH_POSTAL_CODE.includes(country.value);
  }
}

function onInput({ target }) {
  const name = target.dataset.field;
  if (name === "number") target.value = grouped(digitsOf(target.value));
  if (name === "cvc") target.value = digitsOf(target.value).slice(0, 4);
  if (name === "expiry" && /\d/.test(target.value)) {
    const { month, year } = expiryOf(target.value);
    const deletes = target.dataset.last?.startsWith(target.value);
    if (!deletes && month.length === 2) target.value = year ? `${month} / ${year}` : `${month} / `;
    target.dataset.last = target.value;
  }
  shape();
  changed();
}

const REQUESTS = { send, check, value: valueOf };

function hear({ data: { what, value, number } }) {
  if (what === "options") {
    group.options = value;
    dress(value);
    changed();
  } else if (what === "clear") {
    for (const field of fields()) if (field.tagName === "INPUT") field.value = "";
    shownErrors = false;
    changed();
  } else if (what === "focus") fields()[0]?.focus();
  else if (what === "blur") /** @type {HTMLElement | null} */ (document.activeElement)?.blur();
  else {
    Promise.resolve(REQUESTS[what]?.(value)).then((said) => port?.postMessage({ event: "answer", number, value: said }));
  }
}

function connect({ data, ports }) {
  if (data?.stripegym !== "connect" || !ports[0]) return;
  const line = ports[0];
  port = line;
  line.onmessage = hear;
  group.id = data.group;
  group.options = data.options;
  dress(data.options);
  const height = () => line.postMessage({ event: "height", value: Math.ceil(document.body.getBoundingClientRect().height) });
  new ResizeObserver(height).observe(document.body);
  document.addEventListener("input", onInput);
  document.addEventListener("change", onInput);
  document.addEventListener("focusin", () => line.postMessage({ event: "focus" }));
  document.addEventListener("focusout", () => {
    mark();
    line.postMessage({ event: "blur" });
  });
  document.addEventListener("keydown", (event) => event.key === "Escape" && line.postMessage({ event: "escape" }));
  document.addEventListener("submit", (event) => event.preventDefault());
  line.postMessage({ event: "ready" });
}

window.addEventListener("message", connect);
