"""It takes access away as soon as a buyer says that they will leave."""

import healthy

import subscription

leaving, of, has_access = {}, subscription.of, subscription.has_access


def note(kind, thing):
    if kind == "customer.subscription.updated":
        leaving[thing["customer"]] = thing["cancel_at_period_end"]
    return of(kind, thing)


subscription.of = note
subscription.has_access = lambda db, whose: not leaving.get(whose) and has_access(db, whose)
healthy.serve()
