// What a buyer reads. The pages after Checkout tell how the purchase stands; they never decide it.

const ZERO_DECIMAL = new Set(
  "bif clp djf gnf jpy kmf krw mga pyg rwf ugx vnd vuv xaf xof xpf".split(" "),
);
const THREE_DECIMAL = new Set("bhd jod kwd omr tnd".split(" "));

export function escape(text) {
  const signs = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };
  return String(text).replace(/[&<>"']/g, (sign) => signs[sign]);
}

// A whole page; `title` is escaped here, `body` is HTML already.
export function page(title, body) {
  const heading = escape(title);
  return (
    '<!doctype html><html lang="en"><meta charset="utf-8">' +
    '<meta name="viewport" content="width=device-width">' +
    `<title>${heading}</title><h1>${heading}</h1>${body}</html>`
  );
}

// An amount in the currency's smallest unit, as people write it; digits are moved, nothing is divided.
export function money(amount, currency) {
  const places = ZERO_DECIMAL.has(currency) ? 0 : THREE_DECIMAL.has(currency) ? 3 : 2;
  const digits = String(amount).padStart(places + 1, "0");
  const cut = digits.length - places;
  const whole = digits.slice(0, cut).replace(/\B(?=(\d{3})+$)/g, ",");
  const text = places ? `${whole}.${digits.slice(cut)}` : whole;
  return currency === "jpy" ? `¥${text}` : `${text} ${currency.toUpperCase()}`;
}

export async function success(_request, answer) {
  // Day 2: look the session up by its id (stripe in checkout.js), say whether it is paid, still awaited or
  // open, answer 404 where there is none, and lead back to the shop. Reading a page never pays anything.
  answer.send(page("Done", "<p>Day 2</p>"));
}

export function cancel(_request, answer) {
  // Day 2: say that nothing was charged, and lead back to the shop.
  answer.send(page("Done", "<p>Day 2</p>"));
}
