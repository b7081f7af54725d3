"""http.server."""

import http.server
import urllib.parse

import shop
from by_hand import genuine


class Server(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, form, *parts):
        shop.say(form % parts)

    def answer(self, status, text="", kind="text/html", **headers):
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", kind + "; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def body(self):
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def do_GET(self):
        path, _, query = self.path.partition("?")
        text = shop.page(path, query)
        if text is not None:
            self.answer(200, text)
        elif path != "/ledger":
            self.answer(404)
        elif shop.local(self.headers.get("Host", "")):
            kind, text = shop.ledger()
            self.answer(200, text, kind)
        else:
            self.answer(403)

    def do_POST(self):
        body = self.body()
        if self.path == "/checkout":
            form = dict(urllib.parse.parse_qsl(body.decode()))
            self.answer(303, Location=shop.buy(form))
        elif self.path == "/webhook":
            self.webhook(body)
        else:
            self.answer(404)

    def webhook(self, body):
        try:
            status = shop.receive(genuine, self.headers.get("Stripe-Signature"), body)
        except Exception as error:
            shop.say(f"failed: {error!r}")
            status = 500
        self.answer(status)


class Many(http.server.ThreadingHTTPServer):
    request_queue_size = 100


shop.prepare()
shop.say(f"listening on {shop.ORIGIN}")
Many(("127.0.0.1", shop.PORT), Server).serve_forever()
