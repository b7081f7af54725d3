"""It does its slow work before it answers."""

import healthy

import time

import webhook

record = webhook.ledger.record


def slowly(event, fact):
    time.sleep(12)
    return record(event, fact)


webhook.ledger.record = slowly
healthy.serve()
