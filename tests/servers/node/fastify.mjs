// Fastify: its parser for JSON is replaced by one that hands over the bytes.
import Fastify from "fastify";
import { genuine } from "./by_sdk.mjs";
import * as shop from "./shop.mjs";

const app = Fastify();
app.addContentTypeParser("application/json", { parseAs: "buffer" }, (_, body, done) => done(null, body));
app.addContentTypeParser("application/x-www-form-urlencoded", { parseAs: "string" }, (_, body, done) =>
  done(null, Object.fromEntries(new URLSearchParams(body))),
);
for (const path of ["/", "/success", "/cancel"]) {
  app.get(path, (_, reply) => reply.type("text/html; charset=utf-8").send(shop.page(path)));
}
app.get("/ledger", (request, reply) => {
  if (!shop.local(request.headers.host)) return reply.code(403).send();
  return reply.type("application/json").send(shop.ledger());
});
app.post("/checkout", async (request, reply) => reply.redirect(await shop.buy(request.body), 303));
app.post("/webhook", (request, reply) =>
  reply.code(shop.receive(genuine, request.headers["stripe-signature"], request.body ?? "")).send(),
);
await app.listen({ port: shop.PORT, host: "127.0.0.1" });
