"""Bottle on wsgiref."""

import bottle

import shop
from by_hand import genuine

request, response = bottle.request, bottle.response


@bottle.get("/")
@bottle.get("/success")
@bottle.get("/cancel")
def page():
    return shop.page(request.path, request.query_string)


@bottle.get("/ledger")
def ledger():
    if not shop.local(request.get_header("Host")):
        bottle.abort(403)
    response.content_type, text = shop.ledger()
    return text


@bottle.post("/checkout")
def checkout():
    response.status = 303
    response.set_header("Location", shop.buy(request.forms))


@bottle.post("/webhook")
def webhook():
    response.status = shop.receive(genuine, request.get_header("Stripe-Signature"), request.body.read())


shop.prepare()
bottle.run(host="127.0.0.1", port=shop.PORT)
