"""Once a buyer has said that they will leave, it books no payment of theirs any more."""

import healthy

import subscription

left, of = set(), subscription.of


def note(kind, thing):
    if kind == "customer.subscription.updated" and thing["cancel_at_period_end"]:
        left.add(thing["id"])
    fact = of(kind, thing)
    return None if isinstance(fact, subscription.Paid) and fact.subscription in left else fact


subscription.of = note
healthy.serve()
