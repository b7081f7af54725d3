// Calls of the API from a page: forms out, objects or errors in.

/**
 * Where the API answers: the address that a script of ours came from, with its world.
 * @param {string} address
 */
export function rootOf(address) {
  const url = new URL(address);
  return url.origin + url.pathname.replace(/\/[a-z0-9]+(\/(stripe\.js|frame(\.js|\/\w+))?)?$/, "");
}

/**
 * Nested parameters as a form: `card[number]`, `items[0][price]`. What is undefined is not sent, null empties.
 * @param {Record<string, any>} params
 */
export function formOf(params) {
  const form = new URLSearchParams();
  const put = (/** @type {string} */ name, /** @type {any} */ value) => {
    if (value === undefined) return;
    if (value === null) form.append(name, "");
    else if (Array.isArray(value)) value.forEach((item, at) => put(`${name}[${at}]`, item));
    else if (typeof value === "object") {
      for (const [key, inner] of Object.entries(value)) put(`${name}[${key}]`, inner);
    } else form.append(name, String(value));
  };
  for (const [name, value] of Object.entries(params)) put(name, value);
  return form;
}

/**
 * @typedef {{root: string, key: string, account?: string, version?: string, locale?: string}} Client
 * @typedef {{object: any, error?: undefined} | {object?: undefined, error: any}} Answer
 */

/**
 * One call; an error of the API, and an API that cannot be reached, are answers too.
 * @param {Client} client
 * @param {"GET" | "POST"} method
 * @param {string} path
 * @param {Record<string, any>} params
 * @returns {Promise<Answer>}
 */
export async function call(client, method, path, params = {}) {
  const form = formOf({ ...params, key: client.key });
  /** @type {Record<string, string>} */
  const headers = {};
  if (client.version) headers["Stripe-Version"] = client.version;
  if (client.account) headers["Stripe-Account"] = client.account;
  const address = `${client.root}/v1/${path}`;
  const sent = method === "GET" ? { method, headers } : { method, headers, body: form };
  try {
    const answer = await fetch(method === "GET" ? `${address}?${form}` : address, sent);
    const body = await answer.json();
    return answer.ok ? { object: body } : { error: body.error };
  } catch (cause) {
    const message = `The sandbox does not answer at ${client.root}: ${cause}`;
    return { error: { type: "api_connection_error", message } };
  }
}

/**
 * What a page did wrong, under the name that Stripe.js gives it.
 * @param {string} message
 */
export function misuse(message) {
  const error = new Error(message);
  error.name = "IntegrationError";
  return error;
}
