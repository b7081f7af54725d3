// Koa: the webhook reads its stream before koa-bodyparser sees it.
import Koa from "koa";
import bodyParser from "koa-bodyparser";
import { genuine } from "./by_sdk.mjs";
import * as shop from "./shop.mjs";

const app = new Koa();
app.use(async (ctx, next) => {
  if (ctx.path !== "/webhook") return next();
  if (ctx.method !== "POST") return (ctx.status = 405);
  const parts = [];
  for await (const part of ctx.req) parts.push(part);
  ctx.status = shop.receive(genuine, ctx.get("stripe-signature"), Buffer.concat(parts));
  ctx.body = "";
});
app.use(bodyParser());
app.use(async (ctx) => {
  const route = `${ctx.method} ${ctx.path}`;
  if (route === "POST /checkout") {
    ctx.redirect(await shop.buy(ctx.request.body));
    ctx.status = 303;
  } else if (route === "GET /ledger" && !shop.local(ctx.host)) {
    ctx.status = 403;
  } else if (route === "GET /ledger") {
    ctx.type = "json";
    ctx.body = shop.ledger();
  } else if (ctx.method === "GET" && shop.page(ctx.path)) {
    ctx.body = shop.page(ctx.path);
  }
});
app.listen(shop.PORT, "127.0.0.1");
