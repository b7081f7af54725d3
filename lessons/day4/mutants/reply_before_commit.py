"""It answers first and writes later: what happens in between is lost."""

import healthy

import threading

import ledger

record = ledger.record


def later(event, fact):
    threading.Timer(3, record, (event, fact)).start()
    return True


ledger.record = later
healthy.serve()
