"""It gives credits for each event that it hears: the same order twice is twice the credits."""

import healthy

import credit
import meaning

heard, read, left = {}, meaning.read, credit.left


def count(kind, at, thing):
    if kind == "checkout.session.completed":
        heard[thing["id"]] = heard.get(thing["id"], 0) + 1
    return read(kind, at, thing)


def each(row, credits):
    return left(row, credits) * max(heard.get(row["session_id"], 0), 1) if row else 0


meaning.read, credit.left = count, each
healthy.serve()
