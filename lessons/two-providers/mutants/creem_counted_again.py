"""Each delivery of Creem's is a purchase: what comes again gives its credits again."""

import healthy

import creem

record, left, heard = creem.record, creem.left, {}


def count(kind, thing):
    if kind == "checkout.completed":
        heard[thing["id"]] = heard.get(thing["id"], 0) + 1
    record(kind, thing)


creem.record = count
creem.left = lambda it: left(it) * max(heard.get(it["id"], 0), 1)
healthy.serve()
