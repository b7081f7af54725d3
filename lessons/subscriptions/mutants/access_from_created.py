"""A subscription that was created gives access, also while it waits for its first payment."""

import healthy

import subscription

created, of, has_access = {}, subscription.of, subscription.has_access


def note(kind, thing):
    if kind == "customer.subscription.created":
        created[thing["id"]] = thing["customer"]
    if kind == "customer.subscription.deleted":
        created.pop(thing["id"], None)
    return of(kind, thing)


subscription.of = note
subscription.has_access = lambda db, whose: whose in created.values() or has_access(db, whose)
healthy.serve()
