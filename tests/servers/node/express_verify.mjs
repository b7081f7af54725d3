// Express: express.json for every route, which keeps the raw bytes beside what it parsed.
import express from "express";
import { genuine } from "./by_sdk.mjs";
import * as shop from "./shop.mjs";

const app = express();
app.use(express.json({ verify: (request, _, bytes) => (request.raw = bytes), limit: "1mb" }));
app.post("/webhook", (request, response) => {
  response.sendStatus(shop.receive(genuine, request.headers["stripe-signature"], request.raw ?? ""));
});
app.get("/ledger", (_, response) => response.type("json").send(shop.ledger()));
app.listen(shop.PORT, "127.0.0.1");
