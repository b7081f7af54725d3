"""The official stripe-python against the sandbox: what a shop's backend does with it, and how it fails.

Reads STRIPEGYM_API (the sandbox's address) and STRIPEGYM_KEY; ends with a trace where anything differs.
"""

import threading
import time
import urllib.parse
import urllib.request
from http.server import ThreadingHTTPServer

import stripe
from desk import api, client, deliveries, fails, key, Listener


def customers_and_pages():
    made = [
        client.v1.customers.create({"email": f"c{n}@example.com", "metadata": {"n": str(n)}})
        for n in range(7)
    ]
    assert made[0].metadata["n"] == "0" and made[0].last_response.request_id.startswith("req_")
    page = client.v1.customers.list({"limit": 3})
    assert page.has_more and len(page.data) == 3
    walked = [customer.id for customer in page.auto_paging_iter()]
    assert walked == [customer.id for customer in reversed(made)], walked
    changed = client.v1.customers.update(made[0].id, {"name": "Aki", "metadata": {"n": ""}})
    assert changed.name == "Aki" and changed.metadata.to_dict() == {}
    gone = client.v1.customers.delete(made[6].id)
    assert gone.deleted
    assert client.v1.customers.retrieve(made[6].id).deleted


def catalogue():
    product = client.v1.products.create({"name": "Green tea"})
    price = client.v1.prices.create(
        {"product": product.id, "currency": "jpy", "unit_amount": 500, "lookup_key": "tea"}
    )
    found = client.v1.prices.list({"lookup_keys": ["tea"], "expand": ["data.product"]})
    assert found.data[0].id == price.id and found.data[0].product.name == "Green tea"
    return price


def booked(charge):
    """The charge's balance transaction: capture is asynchronous, so it comes a moment later."""
    until = time.monotonic() + 30
    while time.monotonic() < until:
        found = client.v1.charges.retrieve(charge, {"expand": ["balance_transaction"]})
        if found.balance_transaction:
            return found.balance_transaction
        time.sleep(0.05)
    raise AssertionError("the charge was never booked")


def intents():
    paid = client.v1.payment_intents.create(
        {
            "amount": 500,
            "currency": "jpy",
            "payment_method": "pm_card_visa",
            "confirm": True,
            "return_url": "https://example.com/back",
            "expand": ["latest_charge"],
        }
    )
    assert paid.status == "succeeded" and paid.latest_charge.paid
    transaction = booked(paid.latest_charge.id)
    assert transaction.net == transaction.amount - transaction.fee
    refund = client.v1.refunds.create({"payment_intent": paid.id, "amount": 200})
    assert (refund.status, refund.amount) == ("succeeded", 200)
    charge = client.v1.charges.retrieve(paid.latest_charge.id)
    assert (charge.amount_refunded, charge.refunded) == (200, False)
    client.v1.refunds.create({"charge": charge.id})
    assert client.v1.charges.retrieve(charge.id).refunded
    fails(
        stripe.InvalidRequestError,
        lambda: client.v1.refunds.create({"charge": charge.id}),
        code="charge_already_refunded",
        http_status=400,
    )
    declined = fails(
        stripe.CardError,
        lambda: client.v1.payment_intents.create(
            {
                "amount": 500,
                "currency": "jpy",
                "payment_method": "pm_card_visa_chargeDeclinedInsufficientFunds",
                "confirm": True,
                "return_url": "https://example.com/back",
            }
        ),
        code="card_declined",
        http_status=402,
        user_message="Your card has insufficient funds.",
    )
    assert declined.error.decline_code == "insufficient_funds"
    assert declined.error.payment_intent.status == "requires_payment_method"
    assert client.v1.balance.retrieve().object == "balance"


def checkout(price):
    session = client.v1.checkout.sessions.create(
        {
            "mode": "payment",
            "line_items": [{"price": price.id, "quantity": 2}],
            "success_url": "https://example.com/s?session_id={CHECKOUT_SESSION_ID}",
            "cancel_url": "https://example.com/c",
            "metadata": {"order": "42"},
        }
    )
    assert session.status == "open" and session.amount_total == 1000 and session.url
    assert session.success_url.endswith("{CHECKOUT_SESSION_ID}")
    # What the official CLI's fixtures do to pay a session without a browser.
    method = client.v1.payment_methods.create({"type": "card", "card": {"token": "tok_visa"}})
    client.raw_request(
        "post",
        f"/v1/payment_pages/{session.id}/confirm",
        payment_method=method.id,
        expected_amount=1000,
    )
    done = client.v1.checkout.sessions.retrieve(
        session.id, {"expand": ["line_items", "payment_intent.latest_charge"]}
    )
    assert (done.status, done.payment_status, done.url) == ("complete", "paid", None)
    assert done.line_items.data[0].quantity == 2
    assert done.payment_intent.latest_charge.amount == 1000
    other = client.v1.checkout.sessions.create(
        {
            "mode": "payment",
            "line_items": [{"price": price.id, "quantity": 1}],
            "success_url": "https://example.com/s",
        }
    )
    assert client.v1.checkout.sessions.expire(other.id).status == "expired"
    fails(stripe.InvalidRequestError, lambda: client.v1.checkout.sessions.expire(other.id))
    assert [it.id for it in client.v1.checkout.sessions.list({"status": "complete"})] == [done.id]
    return done


def errors():
    fails(
        stripe.InvalidRequestError,
        lambda: client.v1.customers.retrieve("cus_nope"),
        code="resource_missing",
        param="id",
        http_status=404,
    )
    fails(
        stripe.InvalidRequestError,
        lambda: client.v1.customers.create({"emial": "a@example.com"}),
        code="parameter_unknown",
        param="emial",
    )
    stranger = stripe.StripeClient("sk_wrong_1234", base_addresses={"api": api})
    fails(stripe.AuthenticationError, lambda: stranger.v1.customers.list(), http_status=401)
    options = {"idempotency_key": "python-1"}
    first = client.v1.customers.create({"name": "Aki"}, options)
    again = client.v1.customers.create({"name": "Aki"}, options)
    assert first.id == again.id and again.last_response.headers["Idempotent-Replayed"] == "true"
    fails(
        stripe.IdempotencyError,
        lambda: client.v1.customers.create({"name": "Ben"}, options),
        http_status=400,
    )


def fault(**rule):
    """Lets the next requests fail, as `stripegym sandbox fault add` does."""
    body = urllib.parse.urlencode(rule).encode()
    asked = urllib.request.Request(
        f"{api}/_stripegym/faults", data=body, headers={"Stripegym-Control": "1"}
    )
    urllib.request.urlopen(asked).close()


def retries():
    """Whatever happens to a request, the SDK's retries make one object of it."""
    patient = stripe.StripeClient(key, base_addresses={"api": api}, max_network_retries=2)
    for answer, times in [
        ("429", 2),
        ("409-lock", 2),
        ("429-lock", 1),
        ("500", 1),
        ("cut", 1),
        ("cut-before", 1),
    ]:
        fault(on="POST /v1/customers", answer=answer, times=times)
        made = patient.v1.customers.create({"name": f"after {answer}"})
        found = patient.v1.customers.list({"limit": 100}).data
        ids = [it.id for it in found if it.name == f"after {answer}"]
        assert ids == [made.id], (answer, ids)
    fault(on="POST /v1/customers", answer="429")
    limited = fails(
        stripe.RateLimitError,
        lambda: client.v1.customers.create({"name": "impatient"}),
        http_status=429,
    )
    assert limited.error.code == "rate_limit"


def webhooks(server):
    endpoint = client.v1.webhook_endpoints.create(
        {
            "url": f"http://127.0.0.1:{server.server_port}/hook",
            "enabled_events": ["customer.created", "checkout.session.completed"],
        }
    )
    customer = client.v1.customers.create({"name": "Signed"})
    body, signature = deliveries.get(timeout=30)
    event = client.construct_event(body, signature, endpoint.secret)
    assert event.type == "customer.created" and event.data.object.id == customer.id
    assert event.data.object.name == "Signed"
    for secret, payload in [("whsec_other", body), (endpoint.secret, body + b" ")]:
        fails(
            stripe.SignatureVerificationError,
            lambda: client.construct_event(payload, signature, secret),
        )
    assert client.v1.events.retrieve(event.id).type == "customer.created"
    checkout(catalogue_price)
    body, signature = deliveries.get(timeout=30)
    event = client.construct_event(body, signature, endpoint.secret)
    assert event.type == "checkout.session.completed"
    assert event.data.object.payment_status == "paid"
    assert event.data.object.metadata["order"] == "42"
    client.v1.webhook_endpoints.delete(endpoint.id)


server = ThreadingHTTPServer(("127.0.0.1", 0), Listener)
threading.Thread(target=server.serve_forever, daemon=True).start()
customers_and_pages()
catalogue_price = catalogue()
intents()
errors()
retries()
webhooks(server)
print("stripe-python", stripe.VERSION, "conforms")
