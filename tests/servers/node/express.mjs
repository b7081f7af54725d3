// Express: the webhook's raw body before express.json, as the documentation has it.
import express from "express";
import { genuine } from "./by_sdk.mjs";
import * as shop from "./shop.mjs";

const app = express();
app.post("/webhook", express.raw({ type: "application/json" }), (request, response) => {
  response.sendStatus(shop.receive(genuine, request.headers["stripe-signature"], request.body));
});
app.use(express.json());
app.use(express.urlencoded({ extended: false }));
app.get(["/", "/success", "/cancel"], (request, response) => response.send(shop.page(request.path)));
app.get("/ledger", (request, response) => {
  if (!shop.local(request.headers.host)) return response.sendStatus(403);
  response.type("json").send(shop.ledger());
});
app.post("/checkout", async (request, response) => response.redirect(303, await shop.buy(request.body)));
app.listen(shop.PORT, "127.0.0.1");
