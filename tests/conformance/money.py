"""The official stripe-python over what follows a payment: refunds, disputes, reviews, payouts, top-ups, reports.

Reads STRIPEGYM_API (the sandbox's address) and STRIPEGYM_KEY; ends with a trace where anything differs.
"""

import csv
import io
import json
import threading
import time
import urllib.request
from http.server import ThreadingHTTPServer

import stripe
from desk import api, client, deliveries, fails, key, Listener

called = set()


def do(service, method, *args):
    """Calls `client.v1.SERVICE.METHOD` and counts it."""
    of = client.v1
    for name in service.split("."):
        of = getattr(of, name)
    called.add(f"{service}.{method}")
    return getattr(of, method)(*args)


def pays(card, **more):
    sent = {
        "amount": 2000,
        "currency": "usd",
        "confirm": True,
        "capture_method": "automatic",
        "payment_method": f"pm_card_{card}",
        "automatic_payment_methods": {"enabled": True, "allow_redirects": "never"},
    }
    return do("payment_intents", "create", {**sent, **more})


def becomes(service, found, **expected):
    for _ in range(600):
        found = do(service, "retrieve", found.id)
        if all(getattr(found, name) == value for name, value in expected.items()):
            return found
        time.sleep(0.05)
    raise AssertionError(f"{found.id} never had {expected}: {found}")


def passes(seconds):
    url = f"{api}/_stripegym/clock/advance?seconds={seconds}"
    request = urllib.request.Request(url, method="POST", headers={"Stripegym-Control": "1"})
    urllib.request.urlopen(request).read()


def refunds():
    paid = pays("visa")
    part = do("refunds", "create", {"payment_intent": paid.id, "amount": 500})
    assert part.status == "succeeded" and part.destination_details.card.type == "refund"
    do("refunds", "update", part.id, {"metadata": {"why": "late"}})
    assert do("refunds", "retrieve", part.id).metadata["why"] == "late"
    rest = do("refunds", "create", {"charge": paid.latest_charge, "reason": "duplicate"})
    assert rest.amount == 1500
    listed = do("refunds", "list", {"payment_intent": paid.id})
    assert [it.id for it in listed.data] == [rest.id, part.id]
    again = lambda: do("refunds", "create", {"payment_intent": paid.id})
    fails(stripe.InvalidRequestError, again, code="charge_already_refunded")
    fails(
        stripe.InvalidRequestError,
        lambda: do("refunds", "cancel", rest.id),
        user_message="Canceling this refund is unsupported.",
    )
    row = do("balance_transactions", "retrieve", part.balance_transaction, {"expand": ["source"]})
    assert (row.amount, row.type, row.source.id) == (-500, "refund", part.id)


def disputes():
    paid = pays("createDispute")
    dispute = do("disputes", "list", {"payment_intent": paid.id}).data[0]
    assert dispute.status == "needs_response" and dispute.reason == "fraudulent"
    refund = lambda: do("refunds", "create", {"charge": paid.latest_charge})
    fails(stripe.InvalidRequestError, refund, code="charge_disputed")
    receipt = io.BytesIO(b"%PDF-1.4 paid")
    receipt.name = "receipt.pdf"
    file = do("files", "create", {"purpose": "dispute_evidence", "file": receipt})
    assert file.size == 13 and do("files", "retrieve", file.id).purpose == "dispute_evidence"
    staged = do(
        "disputes",
        "update",
        dispute.id,
        {"evidence": {"receipt": file.id, "customer_name": "Ada"}, "submit": False},
    )
    assert staged.status == "needs_response" and staged.evidence_details.has_evidence
    sent = {"evidence": {"uncategorized_text": "winning_evidence"}}
    assert do("disputes", "update", dispute.id, sent).status == "under_review"
    won = becomes("disputes", dispute, status="won")
    assert [row.amount for row in won.balance_transactions] == [-2000, 2000]
    closed = lambda: do("disputes", "close", dispute.id)
    fails(stripe.InvalidRequestError, closed, user_message="This dispute is already closed")
    lost = do("disputes", "list", {"charge": pays("createDispute").latest_charge}).data[0]
    assert do("disputes", "close", lost.id).status == "lost"
    charge = do("charges", "retrieve", lost.charge)
    assert charge.disputed and charge.refunded is False
    warned = pays("createIssuerFraudRecord")
    warning = do("radar.early_fraud_warnings", "list", {"charge": warned.latest_charge}).data[0]
    assert do("radar.early_fraud_warnings", "retrieve", warning.id).actionable
    pays("riskLevelElevated")
    review = do("reviews", "list").data[0]
    assert do("reviews", "retrieve", review.id).open
    assert do("reviews", "approve", review.id).closed_reason == "approved"


def payouts():
    pays("bypassPending", amount=90_000)
    balance = do("balance", "retrieve")
    before = next(row.amount for row in balance.available if row.currency == "usd")
    made = do("payouts", "create", {"amount": 1100, "currency": "usd", "metadata": {"a": "1"}})
    assert made.status == "pending" and not made.automatic
    do("payouts", "update", made.id, {"metadata": {"b": "2"}})
    assert do("payouts", "retrieve", made.id).metadata.to_dict() == {"a": "1", "b": "2"}
    taken = do("payouts", "create", {"amount": 5, "currency": "usd"})
    assert do("payouts", "cancel", taken.id).status == "canceled"
    after = do("balance", "retrieve").available
    assert next(row.amount for row in after if row.currency == "usd") == before - 1100
    much = lambda: do("payouts", "create", {"amount": 99_999_999, "currency": "usd"})
    fails(stripe.InvalidRequestError, much, code="balance_insufficient")
    passes(2 * 86_400)
    assert do("payouts", "retrieve", made.id).status == "paid"
    reverse = lambda: do("payouts", "reverse", made.id)
    fails(stripe.InvalidRequestError, reverse)
    schedule = {"payments": {"payouts": {"schedule": {"interval": "daily"}}}}
    do("balance_settings", "update", schedule)
    settings = do("balance_settings", "retrieve").payments.payouts
    assert settings.schedule.interval == "daily"
    passes(9 * 86_400)
    automatic = next(it for it in do("payouts", "list", {"limit": 100}).data if it.automatic)
    assert automatic.reconciliation_status == "completed"
    rows = do("balance_transactions", "list", {"payout": automatic.id, "limit": 100})
    own = [row.net for row in rows.auto_paging_iter() if row.source != automatic.id]
    assert sum(own) == automatic.amount
    return automatic


def topups():
    made = do("topups", "create", {"amount": 700, "currency": "usd", "description": "float"})
    assert do("topups", "retrieve", made.id).status == "pending"
    assert do("topups", "update", made.id, {"description": "more"}).description == "more"
    taken = do("topups", "create", {"amount": 5, "currency": "usd"})
    assert do("topups", "cancel", taken.id).status == "canceled"
    passes(2 * 86_400)
    assert do("topups", "list", {"status": "succeeded"}).data[0].id == made.id


def reports(payout):
    types = do("reporting.report_types", "list").data
    assert any(it.id == "payout_reconciliation.itemized.5" for it in types)
    kind = "payout_reconciliation.by_id.itemized.4"
    assert "net" in do("reporting.report_types", "retrieve", kind).default_columns
    columns = ["balance_transaction_id", "gross", "fee", "net"]
    parameters = {"payout": payout.id, "columns": columns}
    run = do("reporting.report_runs", "create", {"report_type": kind, "parameters": parameters})
    run = becomes("reporting.report_runs", run, status="succeeded")
    request = urllib.request.Request(run.result.url, headers={"Authorization": f"Bearer {key}"})
    rows = list(csv.DictReader(io.StringIO(urllib.request.urlopen(request).read().decode())))
    total = sum(round(float(row["net"]) * 100) for row in rows)
    assert total == payout.amount and list(rows[0]) == columns
    assert do("reporting.report_runs", "list").data[0].id == run.id


def webhooks(server):
    kinds = ["charge.dispute.created", "charge.dispute.closed", "payout.created", "payout.paid"]
    url = f"http://127.0.0.1:{server.server_port}/hook"
    endpoint = do("webhook_endpoints", "create", {"url": url, "enabled_events": kinds})
    paid = pays("createDispute")
    dispute = do("disputes", "list", {"payment_intent": paid.id}).data[0]
    do("disputes", "close", dispute.id)
    told = []
    for _ in range(2):
        body, signature = deliveries.get(timeout=30)
        event = client.construct_event(body, signature, endpoint.secret)
        assert event.data.object.id == dispute.id, json.loads(body)
        told.append(event.type)
    assert sorted(told) == ["charge.dispute.closed", "charge.dispute.created"], told
    do("webhook_endpoints", "delete", endpoint.id)


server = ThreadingHTTPServer(("127.0.0.1", 0), Listener)
threading.Thread(target=server.serve_forever, daemon=True).start()
refunds()
disputes()
webhooks(server)
automatic = payouts()
topups()
reports(automatic)
assert len(called) >= 30, sorted(called)
print("stripe-python", stripe.VERSION, "conforms in", len(called), "calls")
