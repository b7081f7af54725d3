"""A webhook endpoint as a careful Flask program has it: the official library checks the signature, SQLite keeps the event and its
row in one flushed transaction, a second delivery changes nothing. Started by gunicorn; WEBHOOK_SECRET and DATABASE name the rest."""

import os
import sqlite3
import threading
import time

import flask
import stripe

app = flask.Flask(__name__)
of_thread = threading.local()


def database():
    if not hasattr(of_thread, "database"):
        found = sqlite3.connect(os.environ["DATABASE"], timeout=10, isolation_level=None)
        found.execute("PRAGMA journal_mode = wal")
        found.execute("PRAGMA synchronous = full")
        of_thread.database = found
    return of_thread.database


database().execute("CREATE TABLE IF NOT EXISTS event (id TEXT PRIMARY KEY, type TEXT, received REAL, body BLOB)")
database().execute(
    "CREATE TABLE IF NOT EXISTS payment (session TEXT PRIMARY KEY, amount INTEGER, currency TEXT, status TEXT)"
)


@app.post("/webhook")
def hear():
    body = flask.request.get_data()
    signed = flask.request.headers.get("Stripe-Signature", "")
    try:
        event = stripe.Webhook.construct_event(body, signed, os.environ["WEBHOOK_SECRET"])
    except (ValueError, stripe.SignatureVerificationError):
        return "not signed", 400
    to = database()
    to.execute("BEGIN IMMEDIATE")
    try:
        row = (event["id"], event["type"], time.time(), body)
        fresh = to.execute("INSERT OR IGNORE INTO event VALUES (?, ?, ?, ?)", row).rowcount
        if fresh and event["type"] == "checkout.session.completed":
            it = event["data"]["object"]
            row = (it["id"], it["amount_total"], it["currency"], it["payment_status"])
            to.execute("INSERT OR REPLACE INTO payment VALUES (?, ?, ?, ?)", row)
        to.execute("COMMIT")
    except BaseException:
        to.execute("ROLLBACK")
        raise
    return "", 200
