"""Flask."""

import flask

import shop
from by_sdk import genuine

app = flask.Flask(__name__)
request = flask.request


@app.get("/")
@app.get("/success")
@app.get("/cancel")
def page():
    return shop.page(request.path, request.query_string)


@app.get("/ledger")
def ledger():
    if not shop.local(request.host):
        flask.abort(403)
    kind, text = shop.ledger()
    return flask.Response(text, mimetype=kind)


@app.post("/checkout")
def checkout():
    return flask.redirect(shop.buy(request.form), 303)


@app.post("/webhook")
def webhook():
    body = request.get_data()
    return "", shop.receive(genuine, request.headers.get("Stripe-Signature"), body)


if __name__ == "__main__":
    shop.prepare()
    app.run(host="127.0.0.1", port=shop.PORT, threaded=True)
