// Hono on Node.
import { serve } from "@hono/node-server";
import { Hono } from "hono";
import { genuine } from "./by_sdk.mjs";
import * as shop from "./shop.mjs";

const app = new Hono();
for (const path of ["/", "/success", "/cancel"]) app.get(path, (c) => c.html(shop.page(path)));
app.get("/ledger", (c) => {
  if (!shop.local(c.req.header("host"))) return c.text("", 403);
  return c.body(shop.ledger(), 200, { "Content-Type": "application/json" });
});
app.post("/checkout", async (c) => c.redirect(await shop.buy(await c.req.parseBody()), 303));
app.post("/webhook", async (c) => {
  const status = shop.receive(genuine, c.req.header("stripe-signature"), await c.req.text());
  return c.body(null, status);
});
serve({ fetch: app.fetch, port: shop.PORT, hostname: "127.0.0.1" });
