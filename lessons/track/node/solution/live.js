// What a shop needs that is open to the world: it answers to its own address alone, and says whether it can work.

import Database from "libsql";
import * as settings from "./settings.js";

const HERE = ["127.0.0.1", "localhost", "[::1]"];
const OURS = settings.publicUrl ? [new URL(settings.publicUrl).hostname, ...HERE] : HERE;

function nameOf(host) {
  try {
    return new URL(`http://${host}`).hostname;
  } catch {
    return "";
  }
}

// A form that another site's page sends.
function isForeign(request) {
  const origin = request.get("origin");
  const other = origin !== undefined && origin.replace(/^https?:\/\//, "") !== request.get("host");
  return other || !["none", "same-origin"].includes(request.get("sec-fetch-site") ?? "none");
}

// Refuses what names another address, and forms that another site's page sends.
export function guard(request, answer, next) {
  // Whoever chooses the Host would choose where buyers come back to.
  if (!OURS.includes(nameOf(request.get("host") ?? ""))) {
    console.warn("WARNING refused: the Host is not the shop's; is PUBLIC_URL right?");
    answer.status(400).send("not here");
    return;
  }
  // Events are signed, and come from no page.
  if (request.method === "POST" && !/^\/webhook\/?$/.test(request.path) && isForeign(request)) {
    answer.status(403).send("not from there");
    return;
  }
  next();
}

// Whether events could be written down now. What it tells is for whoever watches: no reason, no path.
export function ready(_request, answer) {
  try {
    const db = new Database(settings.ledgerDb, { timeout: 1000 });
    try {
      db.exec("BEGIN IMMEDIATE");
      db.exec("ROLLBACK");
    } finally {
      db.close();
    }
  } catch (error) {
    console.error("ERROR the ledger cannot be written to:", error.message);
    answer.status(503).send("not ready");
    return;
  }
  answer.send("ready");
}
