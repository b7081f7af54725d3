"""The official stripe-python against the sandbox: a hundred calls and more of what bills again and again.

Reads STRIPEGYM_API (the sandbox's address) and STRIPEGYM_KEY; ends with a trace where anything differs.
"""

import threading
import time
from http.server import HTTPServer

import desk
import stripe
from desk import client, deliveries

v1 = client.v1
called: "set[str]" = set()
DAY = 86_400


def do(resource, method, *args):
    """Calls a method of a resource (`invoices.line_items`), which is counted."""
    service = v1
    for name in resource.split("."):
        service = getattr(service, name)
    called.add(f"{resource}.{method}")
    return getattr(service, method)(*args)


def refused(call, **expected):
    return desk.fails(stripe.InvalidRequestError, call, **expected)


def offers():
    tea = do("products", "create", {"name": "Tea", "metadata": {"leaf": "green"}})
    assert do("products", "update", tea.id, {"description": "a box"}).description == "a box"
    assert do("products", "retrieve", tea.id).name == "Tea"
    assert do("products", "list", {"active": True}).data[0].id == tea.id
    assert do("products", "search", {"query": "metadata['leaf']:'green'"}).data[0].id == tea.id
    gone = do("products", "create", {"name": "Gone"})
    assert do("products", "delete", gone.id).deleted
    monthly = do("prices", "create", recurring(tea.id, 2000, "month"))
    assert do("prices", "retrieve", monthly.id).recurring.interval == "month"
    dear = do("prices", "create", recurring(tea.id, 5000, "month"))
    assert do("prices", "update", dear.id, {"nickname": "dear"}).nickname == "dear"
    assert len(do("prices", "list", {"product": tea.id}).data) == 2
    found = do("prices", "search", {"query": f"product:'{tea.id}'"})
    assert {it.id for it in found.data} == {monthly.id, dear.id}
    plan = do("plans", "create", {"currency": "usd", "interval": "year", "amount": 9000, "product": tea.id})
    assert do("plans", "retrieve", plan.id).interval == "year"
    assert do("plans", "update", plan.id, {"metadata": {"a": "1"}}).metadata["a"] == "1"
    assert plan.id in [it.id for it in do("plans", "list").data]
    assert do("plans", "delete", plan.id).deleted
    ten = do("coupons", "create", {"percent_off": 10, "duration": "forever", "id": "TEN"})
    assert do("coupons", "retrieve", "TEN").percent_off == 10
    assert do("coupons", "update", "TEN", {"name": "Ten"}).name == "Ten"
    assert do("coupons", "list").data[0].id == ten.id
    short = do("coupons", "create", {"amount_off": 100, "currency": "usd"})
    assert do("coupons", "delete", short.id).deleted
    promotion = {"type": "coupon", "coupon": ten.id}
    code = do("promotion_codes", "create", {"promotion": promotion, "code": "SPRING"})
    assert do("promotion_codes", "retrieve", code.id).code == "SPRING"
    assert do("promotion_codes", "update", code.id, {"metadata": {"a": "1"}}).active
    assert do("promotion_codes", "list", {"code": "SPRING"}).data[0].id == code.id
    rate = do("tax_rates", "create", {"display_name": "JCT", "percentage": 10, "inclusive": True})
    assert do("tax_rates", "update", rate.id, {"country": "JP"}).country == "JP"
    assert do("tax_rates", "retrieve", rate.id).percentage == 10
    assert do("tax_rates", "list", {"inclusive": True}).data[0].id == rate.id
    return tea, monthly, dear, code


def recurring(product, amount, interval):
    return {
        "product": product,
        "currency": "usd",
        "unit_amount": amount,
        "recurring": {"interval": interval},
    }


def somebody(**more):
    """A customer with a card."""
    customer = do("customers", "create", {"email": "ada@example.com", "name": "Ada", **more})
    card = do("payment_methods", "attach", "pm_card_visa", {"customer": customer.id})
    settings = {"invoice_settings": {"default_payment_method": card.id}}
    do("customers", "update", customer.id, settings)
    return do("customers", "retrieve", customer.id), card


def customers():
    customer, card = somebody(metadata={"from": "desk"})
    assert customer.invoice_settings.default_payment_method == card.id
    assert do("customers", "list", {"email": "ada@example.com"}).data[0].id == customer.id
    found = do("customers", "search", {"query": "metadata['from']:'desk'"})
    assert found.data[0].id == customer.id
    assert do("payment_methods", "retrieve", card.id).customer == customer.id
    assert do("payment_methods", "list", {"customer": customer.id}).data[0].id == card.id
    named = {"billing_details": {"name": "Ada L"}}
    assert do("payment_methods", "update", card.id, named).billing_details.name == "Ada L"
    assert do("customers.payment_methods", "list", customer.id).data[0].id == card.id
    assert do("customers.payment_methods", "retrieve", customer.id, card.id).id == card.id
    other = do("payment_methods", "attach", "pm_card_mastercard", {"customer": customer.id})
    assert do("payment_methods", "detach", other.id).customer is None
    tax = do("customers.tax_ids", "create", customer.id, {"type": "eu_vat", "value": "DE123456789"})
    assert do("customers.tax_ids", "retrieve", customer.id, tax.id).country == "DE"
    assert do("customers.tax_ids", "list", customer.id).data[0].id == tax.id
    assert do("customers.tax_ids", "delete", customer.id, tax.id).deleted
    owed = {"amount": 300, "currency": "usd", "description": "an old debt"}
    moved = do("customers.balance_transactions", "create", customer.id, owed)
    assert moved.ending_balance == 300
    shown = do("customers.balance_transactions", "retrieve", customer.id, moved.id)
    assert shown.description == "an old debt"
    changed = {"metadata": {"a": "1"}}
    do("customers.balance_transactions", "update", customer.id, moved.id, changed)
    assert do("customers.balance_transactions", "list", customer.id).data[0].metadata["a"] == "1"
    do("customers", "delete", do("customers", "create", {}).id)


def subscriptions(monthly, dear, code):
    customer, card = somebody()
    asked = {"customer": customer.id, "items": [{"price": monthly.id}], "expand": ["latest_invoice"]}
    made = do("subscriptions", "create", asked)
    assert made.status == "active" and made.latest_invoice.amount_paid == 2000
    assert do("subscriptions", "retrieve", made.id)["items"].data[0].price.id == monthly.id
    assert do("subscriptions", "list", {"customer": customer.id}).data[0].id == made.id
    item = made["items"].data[0]
    assert do("subscription_items", "retrieve", item.id).subscription == made.id
    assert do("subscription_items", "list", {"subscription": made.id}).data[0].id == item.id
    assert do("subscription_items", "update", item.id, {"quantity": 2}).quantity == 2
    more = do("subscription_items", "create", {"subscription": made.id, "price": dear.id})
    assert do("subscription_items", "delete", more.id).deleted
    preview = do("invoices", "create_preview", {"subscription": made.id})
    assert preview.id.startswith("upcoming_in_") and preview.total > 4000
    discounted = {"discounts": [{"promotion_code": code.id}], "metadata": {"of": "python"}}
    changed = do("subscriptions", "update", made.id, discounted)
    assert len(changed.discounts) == 1
    assert do("subscriptions", "delete_discount", made.id).deleted
    assert do("subscriptions", "search", {"query": "metadata['of']:'python'"}).data[0].id == made.id
    ends = do("subscriptions", "update", made.id, {"cancel_at_period_end": True})
    assert ends.cancel_at and ends.status == "active"
    assert do("subscriptions", "cancel", made.id).status == "canceled"
    refused(
        lambda: do("subscriptions", "update", made.id, {"description": "x"}),
        code="invalid_canceled_subscription_fields",
    )
    nobody = do("customers", "create", {})
    refused(
        lambda: do("subscriptions", "create", {"customer": nobody.id, "items": [{"price": monthly.id}]}),
        code="resource_missing",
    )
    trial = {
        "customer": nobody.id,
        "items": [{"price": monthly.id}],
        "trial_period_days": 7,
        "trial_settings": {"end_behavior": {"missing_payment_method": "pause"}},
    }
    paused = do("subscriptions", "create", trial)
    paused = do("subscriptions", "update", paused.id, {"trial_end": "now"})
    assert paused.status == "paused"
    card = do("payment_methods", "attach", "pm_card_visa", {"customer": nobody.id})
    do("customers", "update", nobody.id, {"invoice_settings": {"default_payment_method": card.id}})
    do("subscriptions", "resume", paused.id)
    assert do("subscriptions", "retrieve", paused.id).status == "active"
    again = do("subscriptions", "pause", paused.id, {"bill_for": {"unused_time_from": {"type": "none"}}})
    assert (again.status, again.status_details.paused.subscription.type) == ("paused", "pause_requested")
    do("subscriptions", "resume", paused.id)


def invoices(dear):
    customer, card = somebody()
    item = do("invoice_items", "create", {"customer": customer.id, "amount": 1500, "currency": "usd"})
    assert do("invoice_items", "update", item.id, {"description": "Tea"}).description == "Tea"
    assert do("invoice_items", "retrieve", item.id).amount == 1500
    assert do("invoice_items", "list", {"customer": customer.id}).data[0].id == item.id
    spare = do("invoice_items", "create", {"customer": customer.id, "amount": 1, "currency": "usd"})
    assert do("invoice_items", "delete", spare.id).deleted
    draft = {"customer": customer.id, "pending_invoice_items_behavior": "include"}
    draft = do("invoices", "create", {**draft, "metadata": {"of": "python"}})
    assert draft.status == "draft" and draft.total == 1500
    assert do("invoices", "update", draft.id, {"description": "March"}).description == "March"
    line = {"amount": 500, "description": "Cups"}
    assert do("invoices", "add_lines", draft.id, {"lines": [line]}).total == 2000
    lines = do("invoices.line_items", "list", draft.id).data
    cups = next(it for it in lines if it.description == "Cups")
    do("invoices.line_items", "update", draft.id, cups.id, {"amount": 700})
    again = {"lines": [{"id": cups.id, "amount": 600}]}
    assert do("invoices", "update_lines", draft.id, again).total == 2100
    less = {"lines": [{"id": cups.id, "behavior": "delete"}]}
    assert do("invoices", "remove_lines", draft.id, less).total == 1500
    opened = do("invoices", "finalize_invoice", draft.id, {"auto_advance": False})
    assert opened.status == "open" and opened.number
    refused(lambda: do("invoices", "delete", draft.id))
    paid = do("invoices", "pay", draft.id)
    assert paid.status == "paid" and paid.amount_paid == 1500
    refused(lambda: do("invoices", "pay", draft.id), user_message="Invoice is already paid")
    payment = do("invoice_payments", "list", {"invoice": draft.id}).data[0]
    assert do("invoice_payments", "retrieve", payment.id).amount_paid == 1500
    assert do("invoices", "retrieve", draft.id).number == opened.number
    assert do("invoices", "list", {"customer": customer.id}).data[0].id == draft.id
    assert do("invoices", "search", {"query": "metadata['of']:'python'"}).data[0].id == draft.id
    note = {"invoice": draft.id, "amount": 500}
    preview = do("credit_notes", "preview", {**note, "refund_amount": 500})
    assert preview.total == 500
    assert do("credit_notes.preview_lines", "list", {**note, "refund_amount": 500}).data[0].amount == 500
    made = do("credit_notes", "create", {**note, "credit_amount": 500})
    assert made.status == "issued" and do("credit_notes", "retrieve", made.id).amount == 500
    assert do("credit_notes", "update", made.id, {"memo": "sorry"}).memo == "sorry"
    assert do("credit_notes", "list", {"invoice": draft.id}).data[0].id == made.id
    assert do("credit_notes.line_items", "list", made.id).data[0].amount == 500
    sent = other(customer, collection_method="send_invoice", days_until_due=7)
    assert do("invoices", "send_invoice", sent.id).status == "open"
    assert do("invoices", "void_invoice", sent.id).status == "void"
    lost = other(customer)
    do("invoices", "finalize_invoice", lost.id, {"auto_advance": False})
    open_note = do("credit_notes", "create", {"invoice": lost.id, "amount": 100})
    assert do("credit_notes", "void_credit_note", open_note.id).status == "void"
    assert do("invoices", "mark_uncollectible", lost.id).status == "uncollectible"
    assert do("invoices", "delete", other(customer).id).deleted


def other(customer, **more):
    do("invoice_items", "create", {"customer": customer.id, "amount": 900, "currency": "usd"})
    asked = {"customer": customer.id, "pending_invoice_items_behavior": "include", **more}
    return do("invoices", "create", asked)


def clocks(monthly):
    began = 1_800_000_000
    clock = do("test_helpers.test_clocks", "create", {"frozen_time": began, "name": "a year"})
    customer, card = somebody(test_clock=clock.id)
    asked = {"customer": customer.id, "items": [{"price": monthly.id}]}
    made = do("subscriptions", "create", asked)
    bad = do("payment_methods", "attach", "pm_card_chargeCustomerFail", {"customer": customer.id})
    do("subscriptions", "update", made.id, {"default_payment_method": bad.id})
    end = made["items"].data[0].current_period_end
    moved = {"frozen_time": end + 7200}
    assert do("test_helpers.test_clocks", "advance", clock.id, moved).status == "advancing"
    refused(lambda: do("test_helpers.test_clocks", "advance", clock.id, {"frozen_time": began}))
    for _ in range(100):
        if do("test_helpers.test_clocks", "retrieve", clock.id).status == "ready":
            break
        time.sleep(0.05)
    assert do("subscriptions", "retrieve", made.id).status == "past_due"
    assert do("test_helpers.test_clocks", "list").data[0].id == clock.id
    assert do("test_helpers.test_clocks", "delete", clock.id).deleted


def sold(monthly):
    link = {"line_items": [{"price": monthly.id, "quantity": 1}]}
    link = do("payment_links", "create", link)
    assert do("payment_links", "retrieve", link.id).active
    assert do("payment_links.line_items", "list", link.id).data[0].price.id == monthly.id
    assert not do("payment_links", "update", link.id, {"active": False}).active
    assert do("payment_links", "list").data[0].id == link.id
    asked = {
        "mode": "subscription",
        "line_items": [{"price": monthly.id, "quantity": 1}],
        "success_url": "https://example.com/",
    }
    session = do("checkout.sessions", "create", asked)
    assert session.mode == "subscription" and session.amount_total == 2000
    assert do("checkout.sessions", "retrieve", session.id).url == session.url
    assert do("checkout.sessions.line_items", "list", session.id).data[0].price.id == monthly.id
    assert do("checkout.sessions", "update", session.id, {"metadata": {"a": "1"}}).metadata["a"] == "1"
    assert do("checkout.sessions", "list").data[0].id == session.id
    assert do("checkout.sessions", "expire", session.id).status == "expired"


def settings():
    counted = {"display_name": "Cups", "event_name": "cups", "default_aggregation": {"formula": "sum"}}
    meter = do("billing.meters", "create", counted)
    assert do("billing.meters", "retrieve", meter.id).status == "active"
    assert do("billing.meters", "update", meter.id, {"display_name": "Mugs"}).display_name == "Mugs"
    assert do("billing.meters", "list").data[0].id == meter.id
    assert do("billing.meters", "deactivate", meter.id).status == "inactive"
    assert do("billing.meters", "reactivate", meter.id).status == "active"
    portal = {"features": {"invoice_history": {"enabled": True}}}
    portal = do("billing_portal.configurations", "create", portal)
    assert do("billing_portal.configurations", "retrieve", portal.id).active
    assert do("billing_portal.configurations", "list").data[0].id == portal.id
    off = {"metadata": {"a": "1"}}
    assert do("billing_portal.configurations", "update", portal.id, off).metadata["a"] == "1"


def listen():
    server = HTTPServer(("127.0.0.1", 0), desk.Listener)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}/hook"
    return server, v1.webhook_endpoints.create({"url": url, "enabled_events": ["*"]})


def heard(secret):
    """Every delivery is signed, and what a subscription tells of is among them."""
    wanted = {
        "customer.subscription.created",
        "customer.subscription.deleted",
        "customer.subscription.paused",
        "customer.subscription.resumed",
        "credit_note.voided",
        "invoice.marked_uncollectible",
        "invoice.paid",
        "invoice.payment_failed",
        "invoice.sent",
        "invoice.voided",
        "invoice_payment.paid",
        "test_helpers.test_clock.ready",
    }
    count = 0
    while wanted:
        body, signature = deliveries.get(timeout=20)
        event = stripe.Webhook.construct_event(body, signature, secret)
        count += 1
        wanted.discard(event.type)
        if event.type == "invoice.paid":
            assert event.data.object.amount_remaining == 0
    return count


server, endpoint = listen()
tea, monthly, dear, code = offers()
customers()
subscriptions(monthly, dear, code)
invoices(dear)
clocks(monthly)
sold(monthly)
settings()
signed = heard(endpoint.secret)
v1.webhook_endpoints.delete(endpoint.id)
server.shutdown()
assert len(called) >= 100, f"{len(called)} calls: {sorted(called)}"
print(f"stripe-python {stripe.VERSION} conforms: {len(called)} distinct calls, {signed} signed events")
