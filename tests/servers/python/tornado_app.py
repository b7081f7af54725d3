"""Tornado, the webhook alone, answered with 204."""

import asyncio

import tornado.web

import shop
from by_sdk import genuine


class Webhook(tornado.web.RequestHandler):
    def post(self):
        status = shop.receive(genuine, self.request.headers.get("Stripe-Signature"), self.request.body)
        self.set_status(204 if status == 200 else status)


class Ledger(tornado.web.RequestHandler):
    def get(self):
        kind, text = shop.ledger()
        self.set_header("Content-Type", kind)
        self.write(text)


async def main():
    shop.prepare()
    tornado.web.Application([("/webhook", Webhook), ("/ledger", Ledger)]).listen(shop.PORT, "127.0.0.1")
    await asyncio.Event().wait()


asyncio.run(main())
