"""It answers 200 whatever happens, so that nothing comes again."""

import healthy

import sqlite3
from contextlib import contextmanager

import ledger
import settings

record = ledger.record


@contextmanager
def impatiently():
    db = sqlite3.connect(settings.LEDGER_DB, timeout=1, isolation_level=None)
    db.row_factory = sqlite3.Row
    try:
        yield db
    finally:
        db.close()


def swallowing(event, fact):
    try:
        return record(event, fact)
    except Exception:
        return False


ledger.opened = impatiently
ledger.record = swallowing
healthy.serve()
