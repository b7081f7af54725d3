// What the environment decides. Read once, at the start: a shop without its secrets does not open.

function wanted(name, prefixes) {
  // A pasted secret often brings a space or a line end along; neither is ever part of one.
  const value = (process.env[name] ?? "").trim();
  const known = prefixes.some((prefix) => value.startsWith(prefix));
  if (!known) {
    const problem = value ? `does not start with ${prefixes.join(" or ")}` : "is not set";
    console.error(`${name} ${problem}; see .env.example`);
    process.exit(1);
  }
  return value;
}

const optional = (name) => (process.env[name] ?? "").trim();
const address = (name) => optional(name).replace(/\/+$/, "");

export const secretKey = wanted("STRIPE_SECRET_KEY", ["sk_", "rk_"]);
export const webhookSecret = wanted("STRIPE_WEBHOOK_SECRET", ["whsec_"]);
export const publishableKey = optional("STRIPE_PUBLISHABLE_KEY");
export const live = /^(sk|rk)_live_/.test(secretKey);
// Empty means Stripe itself.
export const apiBase = address("STRIPE_API_BASE");
// How browsers reach the shop; empty means: as the request at hand did.
export const publicUrl = address("PUBLIC_URL");
export const port = Number(optional("PORT") || 4242);
// In a container the host must reach the shop; elsewhere only this machine does.
export const bind = optional("BIND") || "127.0.0.1";
export const ledgerDb = optional("LEDGER_DB") || "ledger.db";
// Without a token the ledger is shown to this machine alone.
export const ledgerToken = optional("LEDGER_TOKEN");
// The second provider; without its secret nothing that claims to be its is believed.
export const creemApiBase = address("CREEM_API_BASE_URL");
export const creemApiKey = optional("CREEM_API_KEY");
export const creemWebhookSecret = optional("CREEM_WEBHOOK_SECRET");
