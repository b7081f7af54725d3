// What every program for stripe-node starts with: the client, and refusals.
// Reads STRIPEGYM_API, STRIPEGYM_KEY and STRIPEGYM_NODE_MODULES.

import assert from "node:assert/strict";
import { createRequire } from "node:module";

const require = createRequire(`${process.env.STRIPEGYM_NODE_MODULES}/`);
const address = new URL(process.env.STRIPEGYM_API);
export const options = { host: address.hostname, port: address.port, protocol: "http", maxNetworkRetries: 0 };

export const Stripe = require("stripe");
export const stripe = new Stripe(process.env.STRIPEGYM_KEY, options);

// The error of a call that must fail; its type, where one is named, and its members are as expected.
export async function fails(type, call, expected = {}) {
  const error = await call().then(
    () => assert.fail(`${type ?? "nothing"} was not thrown`),
    (error) => error,
  );
  if (type) assert.equal(error.type, type, error.stack);
  for (const [name, value] of Object.entries(expected)) assert.equal(error[name], value, error.stack);
  return error;
}
