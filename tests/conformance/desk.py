"""What every program for stripe-python starts with: the client, an endpoint that keeps what it is sent, refusals.

Reads STRIPEGYM_API (the sandbox's address) and STRIPEGYM_KEY.
"""

import os
import queue
from http.server import BaseHTTPRequestHandler

import stripe

api = os.environ["STRIPEGYM_API"]
key = os.environ["STRIPEGYM_KEY"]
client = stripe.StripeClient(
    key, base_addresses={"api": api, "files": api}, max_network_retries=0
)
deliveries: "queue.Queue[tuple[bytes, str]]" = queue.Queue()


class Listener(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        deliveries.put((body, self.headers["Stripe-Signature"]))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_):
        pass


def fails(kind, call, **expected):
    try:
        call()
    except kind as error:
        for name, value in expected.items():
            found = getattr(error, name)
            assert found == value, f"{name}: {found!r}, expected {value!r}"
        return error
    raise AssertionError(f"{kind.__name__} was not raised")
