"""One connection for all threads: what one begins another meets in the middle."""

import healthy

import sqlite3
import time
from contextlib import contextmanager

import ledger
import settings

db = sqlite3.connect(settings.LEDGER_DB, isolation_level=None, check_same_thread=False)
db.row_factory = sqlite3.Row
insert = ledger.keep_payment


@contextmanager
def opened():
    yield db


def slowly(db, fact, event_id):
    time.sleep(0.02)  # as long as a busy disk takes
    insert(db, fact, event_id)


ledger.opened = opened
ledger.keep_payment = slowly
healthy.serve()
