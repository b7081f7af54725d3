// The sandbox's Stripe.js against the official @stripe/stripe-js: its types, its names, its loader.
// Reads STRIPEGYM_API and STRIPEGYM_NODE_MODULES; ends with a trace where anything differs.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const modules = process.env.STRIPEGYM_NODE_MODULES;
const official = join(modules, "@stripe/stripe-js");

function typesAgree() {
  const folder = mkdtempSync(join(tmpdir(), "stripe-js-"));
  try {
    cpSync(fileURLToPath(new URL("../../src/sandbox/page/stripe_js/", import.meta.url)), folder, { recursive: true });
    symlinkSync(modules, join(folder, "node_modules"));
    const compilerOptions = {
      allowJs: true, checkJs: true, noEmit: true, strict: true, noImplicitAny: false, skipLibCheck: true,
      module: "esnext", moduleResolution: "bundler", target: "es2022", lib: ["es2022", "dom", "dom.iterable"],
    };
    writeFileSync(join(folder, "package.json"), '{"type":"module"}');
    writeFileSync(join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions, files: ["stripe.js", "frame.js"] }));
    const ran = spawnSync(join(modules, ".bin/tsc"), ["-p", folder], { encoding: "utf8" });
    assert.equal(ran.status, 0, `${ran.error ?? ""}${ran.stdout}${ran.stderr}`);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Runs the script as a page does that loads it from an address of the sandbox. */
async function load(path) {
  const src = process.env.STRIPEGYM_API + path;
  const answer = await fetch(src);
  assert.match(answer.headers.get("content-type"), /^text\/javascript/);
  globalThis.document = { currentScript: { src }, querySelectorAll: () => [] };
  globalThis.window = globalThis;
  globalThis.eval(await answer.text());
  return globalThis.Stripe;
}

function namesAreThere(stripe) {
  const declared = readFileSync(join(official, "dist/stripe-js/stripe.d.ts"), "utf8");
  const [, body] = /export interface Stripe \{(.*?)\n\}/s.exec(declared);
  const names = new Set([...body.matchAll(/^ {2}(\w+)[(<]/gm)].map((found) => found[1]));
  assert.ok(names.size > 70, `${names.size} names are declared`);
  const missing = [...names].filter((name) => typeof stripe[name] !== "function");
  assert.deepEqual(missing, [], "names that a page may call");
}

typesAgree();
for (const [path, version] of [["/v3/", 3], ["/v3/stripe.js", 3], ["/v3", 3], ["/endive/stripe.js", "endive"]]) {
  assert.equal((await load(path)).version, version, path);
}
namesAreThere(globalThis.Stripe("pk_test_conformance"));

// The official loader takes what is there, and finds the release that it was made for.
const warnings = [];
console.warn = (text) => warnings.push(text);
const { loadStripe } = await import(pathToFileURL(join(official, "lib/index.mjs")).href);
const stripe = await loadStripe("pk_test_conformance");
assert.equal(typeof stripe.elements, "function");
assert.deepEqual(warnings, []);
assert.throws(() => stripe.verifyIdentity("x"), { name: "IntegrationError" });
assert.equal(await stripe.paymentRequest({}).canMakePayment(), null);

// Calls go to the sandbox, and its refusals come back as Stripe.js tells them.
const { token } = await stripe.createToken("pii", { id_number: "000000000" });
assert.equal(token.object, "token");
const refused = await stripe.retrievePaymentIntent("pi_nothing_secret_x");
assert.equal(refused.error.type, "invalid_request_error");
console.log("conforms");
