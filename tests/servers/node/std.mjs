// node:http.
import http from "node:http";
import { genuine } from "./by_hand.mjs";
import * as shop from "./shop.mjs";

async function whole(request) {
  const parts = [];
  for await (const part of request) parts.push(part);
  return Buffer.concat(parts);
}

async function reply(request) {
  const path = request.url.split("?")[0];
  if (request.method === "GET") {
    if (path === "/ledger") return shop.local(request.headers.host) ? [200, shop.ledger()] : [403];
    const text = shop.page(path);
    return text ? [200, text, { "Content-Type": "text/html; charset=utf-8" }] : [404];
  }
  if (request.method !== "POST") return [405];
  const body = await whole(request);
  if (path === "/checkout") {
    const form = Object.fromEntries(new URLSearchParams(body.toString()));
    return [303, "", { Location: await shop.buy(form) }];
  }
  if (path === "/webhook") return [shop.receive(genuine, request.headers["stripe-signature"], body)];
  return [404];
}

const server = http.createServer((request, response) => {
  const failed = (error) => [500, shop.say(`failed: ${error}`) ?? ""];
  reply(request).catch(failed).then(([status, text, headers]) => {
    shop.say(`${request.method} ${request.url} ${status}`);
    response.writeHead(status, headers).end(text);
  });
});
server.listen(shop.PORT, "127.0.0.1", () => shop.say(`listening on ${shop.ORIGIN}`));
