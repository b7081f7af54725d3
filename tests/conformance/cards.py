"""The official stripe-python against the sandbox: cards on file, the old ways to save them, and other ways to pay.

Reads STRIPEGYM_API (the sandbox's address) and STRIPEGYM_KEY; ends with a trace where anything differs.
"""

import threading
from http.server import ThreadingHTTPServer

import stripe
from desk import client, deliveries, fails, Listener

v1 = client.v1
ACCOUNT = {"account_number": "000123456789", "routing_number": "110000000"}
MANDATE = {
    "customer_acceptance": {
        "type": "online",
        "online": {"ip_address": "127.0.0.1", "user_agent": "shop"},
    }
}


def setups(customer):
    made = v1.setup_intents.create({"customer": customer, "description": "card"})
    assert made.status == "requires_payment_method" and made.usage == "off_session"
    v1.setup_intents.update(made.id, {"metadata": {"k": "v"}})
    done = v1.setup_intents.confirm(
        made.id, {"payment_method": "pm_card_visa", "return_url": "https://shop.example/"}
    )
    assert done.status == "succeeded" and done.metadata["k"] == "v"
    assert v1.setup_intents.retrieve(made.id).latest_attempt == done.latest_attempt
    assert v1.setup_attempts.list({"setup_intent": made.id}).data[0].status == "succeeded"
    assert v1.setup_intents.list({"customer": customer}).data[0].id == made.id
    fails(
        stripe.InvalidRequestError,
        lambda: v1.setup_intents.cancel(made.id),
        code="setup_intent_unexpected_state",
    )
    refused = fails(
        stripe.CardError,
        lambda: v1.setup_intents.create({"payment_method": "pm_card_chargeDeclined", "confirm": True}),
        code="card_declined",
    )
    intent = refused.json_body["error"]["setup_intent"]
    assert intent["status"] == "requires_payment_method"
    given_up = v1.setup_intents.cancel(intent["id"], {"cancellation_reason": "abandoned"})
    assert given_up.cancellation_reason == "abandoned"
    bank = v1.setup_intents.create(
        {
            "customer": customer,
            "allowed_payment_method_types": ["us_bank_account"],
            "payment_method_data": {
                "type": "us_bank_account",
                "us_bank_account": {**ACCOUNT, "account_holder_type": "individual"},
                "billing_details": {"name": "Aki"},
            },
            "mandate_data": MANDATE,
            "confirm": True,
        }
    )
    assert bank.next_action.type == "verify_with_microdeposits"
    bank = v1.setup_intents.verify_microdeposits(bank.id, {"descriptor_code": "SM11AA"})
    mandate = v1.mandates.retrieve(bank.mandate)
    assert mandate.status == "active" and mandate.payment_method == bank.payment_method
    return done.payment_method


def methods(customer, saved):
    made = v1.payment_methods.create({"type": "card", "card": {"token": "tok_mastercard"}})
    attached = v1.payment_methods.attach(made.id, {"customer": customer})
    changed = v1.payment_methods.update(attached.id, {"allow_redisplay": "always"})
    assert changed.allow_redisplay == "always"
    assert v1.payment_methods.retrieve(saved).customer == customer
    always = v1.payment_methods.list({"customer": customer, "allow_redisplay": "always"})
    assert [method.id for method in always.data] == [made.id]
    assert len(v1.customers.payment_methods.list(customer, {"type": "card"}).data) == 2
    assert v1.customers.payment_methods.retrieve(customer, made.id).card.brand == "mastercard"
    assert v1.payment_methods.detach(made.id).customer is None
    fails(
        stripe.CardError,
        lambda: v1.payment_methods.attach("pm_card_chargeDeclined", {"customer": customer}),
        code="card_declined",
    )
    paid = v1.payment_intents.create(
        {
            "amount": 700,
            "currency": "usd",
            "customer": customer,
            "payment_method": saved,
            "off_session": True,
            "confirm": True,
        }
    )
    assert paid.status == "succeeded"
    fails(
        stripe.CardError,
        lambda: v1.payment_intents.create(
            {
                "amount": 700,
                "currency": "usd",
                "payment_method": "pm_card_authenticationRequired",
                "off_session": True,
                "confirm": True,
            }
        ),
        code="authentication_required",
    )


def old_ways():
    customer = v1.customers.create({"source": "tok_visa", "expand": ["sources"]})
    card = customer.sources.data[0]
    assert customer.default_source == card.id and card.brand == "Visa"
    token = v1.tokens.create({"bank_account": {**ACCOUNT, "country": "US", "currency": "usd"}})
    assert not v1.tokens.retrieve(token.id).used
    bank = v1.customers.payment_sources.create(customer.id, {"source": token.id})
    verified = v1.customers.payment_sources.verify(customer.id, bank.id, {"amounts": [32, 45]})
    assert verified.status == "verified"
    named = v1.customers.payment_sources.update(customer.id, card.id, {"name": "Aki"})
    assert named.name == "Aki"
    assert v1.customers.payment_sources.retrieve(customer.id, card.id).name == "Aki"
    assert len(v1.customers.payment_sources.list(customer.id, {"object": "card"}).data) == 1
    charge = v1.charges.create({"amount": 500, "currency": "usd", "customer": customer.id})
    assert charge.source.id == card.id and charge.payment_intent is None
    source = v1.sources.create({"type": "card", "token": "tok_amex"})
    assert v1.sources.retrieve(source.id).card.brand == "American Express"
    v1.sources.update(source.id, {"owner": {"name": "Aki"}})
    assert v1.customers.payment_sources.delete(customer.id, bank.id).deleted
    fails(
        stripe.InvalidRequestError,
        lambda: v1.customers.payment_sources.create(customer.id, {"source": token.id}),
        code="token_already_used",
    )


def cash(customer):
    intent = v1.payment_intents.create(
        {
            "amount": 9000,
            "currency": "jpy",
            "customer": customer,
            "allowed_payment_method_types": ["customer_balance"],
            "payment_method_data": {"type": "customer_balance"},
            "payment_method_options": {
                "customer_balance": {
                    "funding_type": "bank_transfer",
                    "bank_transfer": {"type": "jp_bank_transfer"},
                }
            },
            "confirm": True,
        }
    )
    told = intent.next_action.display_bank_transfer_instructions
    assert told.amount_remaining == 9000 and told.financial_addresses[0].type == "zengin"
    helper = v1.test_helpers.customers
    helper.fund_cash_balance(customer, {"amount": 4000, "currency": "jpy"})
    helper.fund_cash_balance(customer, {"amount": 6000, "currency": "jpy"})
    assert v1.payment_intents.retrieve(intent.id).status == "succeeded"
    assert v1.customers.cash_balance.retrieve(customer).available["jpy"] == 1000
    by_hand = {"settings": {"reconciliation_mode": "manual"}}
    changed = v1.customers.cash_balance.update(customer, by_hand)
    assert changed.settings.reconciliation_mode == "manual"
    moved = v1.customers.cash_balance_transactions.list(customer)
    assert sum(it.net_amount for it in moved.data) == 1000
    newest = v1.customers.cash_balance_transactions.retrieve(customer, moved.data[0].id)
    assert newest.ending_balance == 1000
    sent = {
        "bank_transfer": {"type": "jp_bank_transfer"},
        "currency": "jpy",
        "funding_type": "bank_transfer",
    }
    assert v1.customers.funding_instructions.create(customer, sent).bank_transfer.country == "JP"


def holds():
    held = v1.payment_intents.create(
        {
            "amount": 1000,
            "currency": "usd",
            "capture_method": "manual",
            "allowed_payment_method_types": ["card"],
            "payment_method": "pm_card_visa",
            "payment_method_options": {
                "card": {
                    "request_incremental_authorization": "if_available",
                    "request_multicapture": "if_available",
                }
            },
            "confirm": True,
        }
    )
    raised = v1.payment_intents.increment_authorization(held.id, {"amount": 1500})
    assert raised.amount_capturable == 1500
    part = {"amount_to_capture": 500, "final_capture": False}
    assert v1.payment_intents.capture(held.id, part).status == "requires_capture"
    assert v1.payment_intents.capture(held.id).amount_received == 1500


def settings(customer):
    configuration = v1.payment_method_configurations.create({"name": "Shop"})
    on = {"konbini": {"display_preference": {"preference": "on"}}}
    changed = v1.payment_method_configurations.update(configuration.id, on)
    assert changed.konbini.display_preference.value == "on"
    assert v1.payment_method_configurations.retrieve(configuration.id).name == "Shop"
    assert len(v1.payment_method_configurations.list().data) == 2
    domain = v1.payment_method_domains.create({"domain_name": "shop.example"})
    assert v1.payment_method_domains.validate(domain.id).apple_pay.status == "active"
    assert not v1.payment_method_domains.update(domain.id, {"enabled": False}).enabled
    assert v1.payment_method_domains.retrieve(domain.id).google_pay.status == "inactive"
    assert len(v1.payment_method_domains.list({"enabled": False}).data) == 1
    apple = v1.apple_pay_domains.create({"domain_name": "shop.example"})
    assert v1.apple_pay_domains.retrieve(apple.id).domain_name == "shop.example"
    assert len(v1.apple_pay_domains.list().data) == 1
    assert v1.apple_pay_domains.delete(apple.id).deleted
    made = v1.ephemeral_keys.create({"customer": customer}, {"stripe_version": "2026-10-28.endive"})
    assert v1.ephemeral_keys.delete(made.id).id == made.id
    components = {"payment_element": {"enabled": True}}
    session = v1.customer_sessions.create({"customer": customer, "components": components})
    assert session.client_secret.startswith("cuss_secret_")


def told(endpoint, seen):
    """Takes deliveries until every kind that is waited for has come, each with a signature that holds."""
    while not seen <= told.kinds:
        body, signature = deliveries.get(timeout=30)
        event = client.construct_event(body, signature, endpoint.secret)
        told.kinds.add(event.type)
    fails(
        stripe.SignatureVerificationError,
        lambda: client.construct_event(body + b" ", signature, endpoint.secret),
    )


told.kinds = set()
server = ThreadingHTTPServer(("127.0.0.1", 0), Listener)
threading.Thread(target=server.serve_forever, daemon=True).start()
endpoint = v1.webhook_endpoints.create(
    {"url": f"http://127.0.0.1:{server.server_port}/", "enabled_events": ["*"]}
)
customer = v1.customers.create({"email": "aki@example.com"}).id
methods(customer, setups(customer))
old_ways()
cash(customer)
holds()
settings(customer)
told(
    endpoint,
    {
        "setup_intent.succeeded",
        "setup_intent.setup_failed",
        "setup_intent.requires_action",
        "payment_method.attached",
        "customer.source.created",
        "customer.source.deleted",
        "customer_cash_balance_transaction.created",
        "payment_intent.partially_funded",
        "cash_balance.funds_available",
        "payment_intent.amount_capturable_updated",
    },
)
server.shutdown()
print("stripe-python conforms with cards on file")
