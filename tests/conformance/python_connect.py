"""The official stripe-python as a platform: accounts, and money that is split between them.

Reads STRIPEGYM_API (the sandbox's address) and STRIPEGYM_KEY; ends with a trace where anything differs.
"""

import threading
import time
from http.server import ThreadingHTTPServer

import desk
import stripe
from desk import client, deliveries, Listener

v1 = client.v1


def fails(call, **expected):
    return desk.fails(stripe.StripeError, call, **expected)


def until(look, what):
    for _ in range(600):
        found = look()
        if found:
            return found
        time.sleep(0.02)
    raise AssertionError(f"never: {what}")


def onboard():
    """A custom account, from its first refusal to its payouts."""
    made = v1.accounts.create(
        {
            "type": "custom",
            "country": "US",
            "email": "shop@example.com",
            "business_type": "individual",
            "capabilities": {
                "card_payments": {"requested": True},
                "transfers": {"requested": True},
            },
        }
    )
    assert not made.charges_enabled and "external_account" in made.requirements.currently_due
    assert made.capabilities.transfers == "inactive"
    fails(
        lambda: v1.transfers.create({"amount": 100, "currency": "usd", "destination": made.id}),
        code="insufficient_capabilities_for_transfer",
    )
    v1.accounts.update(
        made.id,
        {
            "business_profile": {"url": "https://example.com"},
            "tos_acceptance": {"date": 1609798905, "ip": "127.0.0.1"},
        },
    )
    person = v1.accounts.persons.create(
        made.id,
        {
            "first_name": "Jenny",
            "last_name": "Rosen",
            "email": "jenny@example.com",
            "phone": "0000000000",
            "dob": {"day": 1, "month": 1, "year": 1901},
            "address": {
                "line1": "address_full_match",
                "city": "Schenectady",
                "state": "NY",
                "postal_code": "12345",
                "country": "US",
            },
            "relationship": {"representative": True},
        },
    )
    assert person.requirements.currently_due == ["ssn_last_4"], person.requirements.currently_due
    person = v1.accounts.persons.update(made.id, person.id, {"id_number": "000000000"})
    assert person.id_number_provided and person.requirements.currently_due == []
    assert v1.accounts.persons.list(made.id).data[0].id == person.id
    assert v1.accounts.persons.retrieve(made.id, person.id).last_name == "Rosen"
    bank = v1.accounts.external_accounts.create(
        made.id,
        {
            "external_account": {
                "object": "bank_account",
                "country": "US",
                "currency": "usd",
                "routing_number": "110000000",
                "account_number": "000123456789",
            }
        },
    )
    assert bank.default_for_currency and bank.last4 == "6789"
    second = v1.accounts.external_accounts.create(
        made.id, {"external_account": "btok_us_verified", "default_for_currency": True}
    )
    assert second.default_for_currency
    assert not v1.accounts.external_accounts.retrieve(made.id, bank.id).default_for_currency
    fails(lambda: v1.accounts.external_accounts.delete(made.id, second.id), param="external_account")
    assert v1.accounts.external_accounts.update(
        made.id, bank.id, {"metadata": {"spare": "1"}}
    ).metadata["spare"] == "1"
    assert v1.accounts.external_accounts.delete(made.id, bank.id).deleted
    assert len(v1.accounts.external_accounts.list(made.id).data) == 1
    pending = v1.accounts.retrieve(made.id)
    assert pending.requirements.disabled_reason in (None, "requirements.pending_verification")
    open_ = until(
        lambda: (it := v1.accounts.retrieve(made.id)).payouts_enabled and it, "the account opens"
    )
    assert open_.charges_enabled and open_.capabilities.transfers == "active"
    assert v1.accounts.capabilities.retrieve(made.id, "transfers").status == "active"
    assert len(v1.accounts.capabilities.list(made.id).data) == 2
    assert v1.accounts.capabilities.update(made.id, "jcb_payments", {"requested": True}).requested
    return made.id


def express():
    account = v1.accounts.create({"type": "express", "country": "JP"})
    assert account.controller.stripe_dashboard.type == "express"
    fails(lambda: v1.accounts.login_links.create(account.id), http_status=400)
    link = v1.account_links.create(
        {
            "account": account.id,
            "type": "account_onboarding",
            "refresh_url": "https://example.com/again",
            "return_url": "https://example.com/back",
        }
    )
    assert link.expires_at == link.created + 300 and f"/setup/c/{account.id}/" in link.url
    session = v1.account_sessions.create(
        {"account": account.id, "components": {"account_onboarding": {"enabled": True}}}
    )
    assert session.components.account_onboarding.enabled and not session.components.payouts.enabled
    rejected = v1.accounts.reject(account.id, {"reason": "terms_of_service"})
    assert rejected.requirements.disabled_reason == "rejected.terms_of_service"
    assert v1.accounts.delete(account.id).deleted
    fails(lambda: v1.accounts.retrieve(account.id), http_status=403)
    assert v1.accounts.retrieve_current().object == "account"


def transfers(account):
    v1.charges.create({"amount": 50_000, "currency": "usd", "source": "tok_bypassPending"})
    made = v1.transfers.create(
        {"amount": 4_000, "currency": "usd", "destination": account, "transfer_group": "ORDER_1"}
    )
    whole = v1.transfers.retrieve(
        made.id, {"expand": ["destination", "destination_payment", "balance_transaction"]}
    )
    assert whole.destination.id == account and whole.destination_payment.amount == 4_000
    assert whole.balance_transaction.net == -4_000
    assert v1.transfers.list({"transfer_group": "ORDER_1"}).data[0].id == made.id
    assert v1.transfers.update(made.id, {"metadata": {"order": "1"}}).metadata["order"] == "1"
    back = v1.transfers.reversals.create(made.id, {"amount": 1_000})
    assert v1.transfers.reversals.retrieve(made.id, back.id).amount == 1_000
    assert v1.transfers.reversals.update(made.id, back.id, {"metadata": {"a": "b"}}).metadata["a"]
    assert [it.id for it in v1.transfers.reversals.list(made.id).data] == [back.id]
    fails(lambda: v1.transfers.reversals.create(made.id, {"amount": 3_001}), param="amount")
    fails(
        lambda: v1.transfers.create(
            {"amount": 10_000_000, "currency": "usd", "destination": account}
        ),
        code="balance_insufficient",
    )
    balance = v1.balance.retrieve(options={"stripe_account": account})
    assert sum(it.amount for it in balance.available if it.currency == "usd") == 3_000


def destination_charge(account):
    paid = v1.payment_intents.create(
        {
            "amount": 10_000,
            "currency": "usd",
            "payment_method": "pm_card_visa",
            "allowed_payment_method_types": ["card"],
            "capture_method": "automatic",
            "confirm": True,
            "on_behalf_of": account,
            "application_fee_amount": 1_000,
            "transfer_data": {"destination": account},
            "expand": ["latest_charge.application_fee", "latest_charge.transfer.destination_payment"],
        }
    )
    charge = paid.latest_charge
    assert charge.destination == account and charge.application_fee.amount == 1_000
    payment = charge.transfer.destination_payment
    assert payment.application_fee == charge.application_fee.id
    refund = v1.refunds.create(
        {
            "payment_intent": paid.id,
            "amount": 5_000,
            "reverse_transfer": True,
            "refund_application_fee": True,
            "expand": ["transfer_reversal"],
        }
    )
    assert refund.transfer_reversal.amount == 5_000
    fee = v1.application_fees.retrieve(charge.application_fee.id)
    assert fee.amount_refunded == 500 and not fee.refunded
    rest = v1.application_fees.refunds.create(fee.id)
    assert rest.amount == 500
    assert v1.application_fees.refunds.retrieve(fee.id, rest.id).fee == fee.id
    assert v1.application_fees.refunds.update(fee.id, rest.id, {"metadata": {"x": "y"}}).metadata
    assert len(v1.application_fees.refunds.list(fee.id).data) == 2
    assert v1.application_fees.list().data[0].id == fee.id


def direct_charge(account):
    there = {"stripe_account": account}
    customer = v1.customers.create({"name": "Aki"}, options=there)
    fails(lambda: v1.customers.retrieve(customer.id), code="resource_missing", http_status=404)
    paid = v1.payment_intents.create(
        {
            "amount": 2_000,
            "currency": "usd",
            "customer": customer.id,
            "payment_method": "pm_card_visa",
            "allowed_payment_method_types": ["card"],
            "capture_method": "automatic",
            "confirm": True,
            "application_fee_amount": 100,
            "expand": ["latest_charge.balance_transaction"],
        },
        options=there,
    )
    assert paid.application.startswith("ca_")
    kinds = sorted(it.type for it in paid.latest_charge.balance_transaction.fee_details)
    assert kinds == ["application_fee", "stripe_fee"], kinds
    fails(
        lambda: v1.payment_intents.create(
            {"amount": 2_000, "currency": "usd", "application_fee_amount": 100}
        ),
        param="application_fee_amount",
    )
    refused = fails(
        lambda: v1.balance.retrieve(options={"stripe_account": "acct_1Nobody00000000"}),
        http_status=403,
    )
    # The library hands on the code of a 403 in the body alone.
    assert refused.json_body["error"]["code"] == "account_invalid", refused.json_body
    return paid.id


def secrets():
    scope = {"type": "account"}
    made = v1.apps.secrets.create({"name": "token", "payload": "hidden", "scope": scope})
    assert made.payload is None if hasattr(made, "payload") else True
    found = v1.apps.secrets.find({"name": "token", "scope": scope, "expand": ["payload"]})
    assert found.payload == "hidden"
    assert v1.apps.secrets.list({"scope": scope}).data[0].name == "token"
    assert v1.apps.secrets.delete_where({"name": "token", "scope": scope}).deleted


def told(secret, account, intent):
    """The platform's Connect endpoint is told of what happens in its accounts, and of nothing else."""
    seen = []
    while True:
        body, signature = deliveries.get(timeout=30)
        event = client.construct_event(body, signature, secret)
        assert event.account, event.type
        seen.append(event.type)
        if event.account == account and event.type == "payment_intent.succeeded":
            assert event.data.object.id == intent
            break
    assert "account.updated" in seen and "person.created" in seen and "capability.updated" in seen


listener = ThreadingHTTPServer(("127.0.0.1", 0), Listener)
threading.Thread(target=listener.serve_forever, daemon=True).start()
endpoint = v1.webhook_endpoints.create(
    {
        "url": f"http://127.0.0.1:{listener.server_port}/connect",
        "enabled_events": ["*"],
        "connect": True,
    }
)
account = onboard()
express()
transfers(account)
destination_charge(account)
intent = direct_charge(account)
secrets()
told(endpoint.secret, account, intent)
listener.shutdown()
print("conforms")
