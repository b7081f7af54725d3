"""It knows an event that comes again by its id, and takes two events about one checkout for two purchases."""

import healthy

import creem
from flask import request

record, left, heard = creem.record, creem.left, {}


def count(kind, thing):
    if kind == "checkout.completed":
        heard.setdefault(thing["id"], set()).add(request.get_json(force=True)["id"])
    record(kind, thing)


creem.record = count
creem.left = lambda it: left(it) * max(len(heard.get(it["id"], ())), 1)
healthy.serve()
