"""wsgiref, one request at a time."""

import urllib.parse
import wsgiref.simple_server

import shop
from by_hand import genuine


def reply(env):
    path = env["PATH_INFO"]
    method = env["REQUEST_METHOD"]
    text = shop.page(path, env["QUERY_STRING"])
    if method == "GET" and text is not None:
        return "200 OK", [("Content-Type", "text/html; charset=utf-8")], text
    if method == "GET" and path == "/ledger":
        if not shop.local(env["HTTP_HOST"]):
            return "403 Forbidden", [], ""
        kind, text = shop.ledger()
        return "200 OK", [("Content-Type", kind)], text
    if method != "POST":
        return "405 Method Not Allowed", [], ""
    body = env["wsgi.input"].read(int(env["CONTENT_LENGTH"] or 0))
    if path == "/checkout":
        form = dict(urllib.parse.parse_qsl(body.decode()))
        return "303 See Other", [("Location", shop.buy(form))], ""
    if path == "/webhook":
        status = shop.receive(genuine, env.get("HTTP_STRIPE_SIGNATURE"), body)
        return f"{status} Done", [], ""
    return "404 Not Found", [], ""


def app(env, start):
    status, headers, text = reply(env)
    start(status, [*headers, ("Content-Length", str(len(text.encode())))])
    return [text.encode()]


shop.prepare()
wsgiref.simple_server.make_server("127.0.0.1", shop.PORT, app).serve_forever()
