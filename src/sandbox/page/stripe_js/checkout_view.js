// A Checkout Session as Stripe.js shows it to a page, of what the sandbox tells of it.

/**
 * An amount in words and as a number.
 * @param {Shown} shown
 * @param {number} minor
 * @returns {import("@stripe/stripe-js").StripeCheckoutAmount}
 */
function amountOf({ decimals, session }, minor) {
  const currency = session.currency ?? "usd";
  const digits = { minimumFractionDigits: decimals, maximumFractionDigits: decimals };
  const format = new Intl.NumberFormat(undefined, { style: "currency", currency, ...digits });
  return { minorUnitsAmount: minor, amount: format.format(minor / 10 ** decimals) };
}

/**
 * What the sandbox tells: the session and what belongs to it.
 * @typedef {{session: any, decimals: number, lines: any[], optional: {item: any, taken: boolean}[], shipping: any[],
 *   discount: {coupon: any, code: string | null} | null, saved: any[],
 *   intent: {id: string, status: string, error: any} | null}} Shown
 */

/**
 * What the buyer has said so far, on the merchant's page.
 * @typedef {{email: string | null, phone: string | null, billing: any, shipping: any, individual: string | null,
 *   business: string | null, taxId: any}} Said
 */

const adjustableOf = (/** @type {any} */ item) => {
  const { enabled, minimum, maximum } = item.adjustable_quantity ?? {};
  return enabled ? { minimum: minimum ?? 0, maximum: maximum ?? 99 } : null;
};

const recurringOf = (/** @type {any} */ price) => price?.recurring
  ? { interval: price.recurring.interval, intervalCount: price.recurring.interval_count, usageType: price.recurring.usage_type }
  : null;

/** @param {Shown} shown */
function discountsOf(shown) {
  if (!shown.discount) return null;
  const { coupon, code } = shown.discount;
  const durations = { forever: { type: "forever" }, repeating: { type: "repeating", durationInMonths: coupon.duration_in_months } };
  return [{
    ...amountOf(shown, shown.session.total_details?.amount_discount ?? 0),
    displayName: coupon.name ?? code ?? coupon.id, promotionCode: code, percentOff: coupon.percent_off ?? null,
    recurring: durations[coupon.duration] ?? null,
  }];
}

/**
 * @param {Shown} shown
 * @param {any} item
 * @returns {import("@stripe/stripe-js").StripeCheckoutLineItem}
 */
function lineOf(shown, item) {
  const { price } = item;
  const amount = (/** @type {number} */ minor) => amountOf(shown, minor);
  const inclusive = price?.tax_behavior === "inclusive";
  const unit = price?.unit_amount ?? (item.quantity ? Math.round(item.amount_subtotal / item.quantity) : 0);
  return {
    id: item.id, name: item.description ?? "", description: null, quantity: item.quantity ?? 1, unitLabel: null,
    discount: amount(item.amount_discount ?? 0), subtotal: amount(item.amount_subtotal), total: amount(item.amount_total),
    taxExclusive: amount(inclusive ? 0 : (item.amount_tax ?? 0)), taxInclusive: amount(inclusive ? (item.amount_tax ?? 0) : 0),
    unitAmount: amount(unit), unitAmountDecimal: null, discountAmounts: null, taxAmounts: null,
    recurring: recurringOf(price), adjustableQuantity: adjustableOf(item), images: [], priceId: price?.id ?? "",
    isRemovable: shown.optional.some((it) => it.taken && it.item.id === item.id),
    pricing: null, transformQuantity: null,
  };
}

/**
 * @param {Shown} shown
 * @param {any} option
 * @returns {import("@stripe/stripe-js").StripeCheckoutShippingOption}
 */
function shippingOf(shown, { id, name, estimate, amount }) {
  const deliveryEstimate = estimate ? { minimum: estimate.minimum ?? null, maximum: estimate.maximum ?? null } : null;
  return { ...amountOf(shown, amount), id, currency: shown.session.currency, displayName: name ?? null, deliveryEstimate };
}

/** @param {Shown} shown */
function totalOf(shown) {
  const { session } = shown;
  const { amount_discount: discount = 0, amount_shipping: shipping = 0, amount_tax: tax = 0 } = session.total_details ?? {};
  const subtotal = session.amount_subtotal ?? 0;
  const total = session.amount_total ?? 0;
  // What is not within the prices comes on top of them.
  const exclusive = total - (subtotal - discount + shipping);
  const amount = (/** @type {number} */ minor) => amountOf(shown, minor);
  return {
    subtotal: amount(subtotal), discount: amount(discount), shippingRate: amount(shipping), total: amount(total),
    taxExclusive: amount(exclusive), taxInclusive: amount(tax - exclusive), surcharge: amount(0),
    appliedBalance: amount(0), balanceAppliedToNextInvoice: false,
  };
}

/** @returns {import("@stripe/stripe-js").StripeCheckoutStatus} */
function statusOf({ status, payment_status: paymentStatus }) {
  if (status === "complete") return { type: "complete", paymentStatus };
  return { type: status === "expired" ? "expired" : "open" };
}

/** @returns {import("@stripe/stripe-js").StripeCheckoutTaxStatus} */
function taxOf({ automatic_tax: tax }, shipping) {
  if (tax?.status !== "requires_location_inputs") return { status: "ready" };
  return { status: shipping.length ? "requires_shipping_address" : "requires_billing_address" };
}

/** @returns {import("@stripe/stripe-js").StripeCheckoutRecurring | null} */
function recurringTotal(shown, lines) {
  const first = lines.find((line) => line.recurring);
  if (!first?.recurring) return null;
  const { subtotal, total, discount, taxInclusive, taxExclusive } = totalOf(shown);
  const { interval, intervalCount } = first.recurring;
  const dueNext = { subtotal, total, discount, taxInclusive, taxExclusive, billingCycleAnchor: null };
  return { interval, intervalCount, isProrated: false, dueNext, trial: null };
}

/**
 * @param {Shown} shown
 * @param {Said} said
 * @param {boolean} ready whether there is what to pay with
 * @returns {import("@stripe/stripe-js").StripeCheckoutSession}
 */
export function sessionOf(shown, said, ready) {
  const { session } = shown;
  const email = said.email ?? session.customer_details?.email ?? session.customer_email ?? null;
  const lineItems = shown.lines.map((item) => lineOf(shown, item));
  const shippingOptions = shown.shipping.map((option) => shippingOf(shown, option));
  const chosen = shippingOptions.find((option) => option.id === session.shipping_cost?.shipping_rate);
  const { individual, business } = said;
  const error = shown.intent?.error;
  const tax = taxOf(session, shown.shipping);
  return {
    id: session.id, livemode: Boolean(session.livemode), currency: session.currency, currencyOptions: null,
    minorUnitsAmountDivisor: 10 ** shown.decimals, status: statusOf(session), total: totalOf(shown), lineItems,
    canConfirm: session.status === "open" && ready && Boolean(email) && tax.status === "ready",
    email, phoneNumber: said.phone, billingAddress: said.billing, shippingAddress: said.shipping,
    businessName: business, nameCollection: individual || business ? { individualName: individual, businessName: business } : null,
    taxIdInfo: said.taxId, tax, taxAmounts: null, discountAmounts: discountsOf(shown),
    lastPaymentError: error ? { message: error.message ?? "" } : null,
    recurring: recurringTotal(shown, lineItems), surcharge: null,
    shipping: chosen ? { shippingOption: chosen, taxAmounts: null } : null, shippingOptions,
    savedPaymentMethods: shown.saved.length ? shown.saved.map(savedOf) : null,
    optionalItems: shown.optional.length ? shown.optional.map((it) => optionalOf(shown, it)) : null,
  };
}

/** @returns {import("@stripe/stripe-js").StripeCheckoutSavedPaymentMethod} */
function savedOf({ id, card, billing_details: billingDetails }) {
  return { id, type: "card", card: { brand: card.brand, expMonth: card.exp_month, expYear: card.exp_year, last4: card.last4 }, billingDetails };
}

/** @returns {import("@stripe/stripe-js").StripeCheckoutOptionalItem} */
function optionalOf(shown, { item, taken }) {
  const { name, unitAmount, unitAmountDecimal, quantity, adjustableQuantity, priceId, recurring, images } = lineOf(shown, item);
  return { priceId, name, description: null, unitAmount, unitAmountDecimal, unitLabel: null, quantity, adjustableQuantity, recurring, images, isSelected: taken };
}
