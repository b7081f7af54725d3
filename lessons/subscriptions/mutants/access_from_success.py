"""Whoever opens the success page has access, paid or not."""

import healthy

import pages
import subscription

came, find, has_access = set(), pages.find, subscription.has_access


def seen(session_id):
    session = find(session_id)
    came.add(session and session.customer)
    return session


pages.find = seen
subscription.has_access = lambda db, whose: whose in came or has_access(db, whose)
healthy.serve()
