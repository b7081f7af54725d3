"""What was told last of a subscription is what is true: an old event brings it back."""

import healthy

import subscription

last, of, has_access = {}, subscription.of, subscription.has_access


def note(kind, thing):
    if kind in ("customer.subscription.updated", "customer.subscription.deleted"):
        last[thing["customer"]] = thing["status"]
    return of(kind, thing)


subscription.of = note
subscription.has_access = lambda db, whose: has_access(db, whose) or last.get(whose) == "active"
healthy.serve()
