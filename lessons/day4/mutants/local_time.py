"""It takes local time for UTC."""

import healthy

import calendar
import dataclasses
import time

import meaning

payment = meaning.payment


def in_local_time(session, status, at):
    fact = payment(session, status, at)
    if fact is None:
        return None
    local = lambda seconds: calendar.timegm(time.localtime(seconds))
    return dataclasses.replace(fact, created=local(fact.created), updated=local(fact.updated))


meaning.payment = in_local_time
healthy.serve()
