"""Whoever cancels loses the key at once, though the period is paid."""

import healthy

import subscription

of = subscription.of


def early(kind, thing):
    if kind == "customer.subscription.updated" and thing.get("cancel_at_period_end"):
        return subscription.Ended(thing["id"])
    return of(kind, thing)


subscription.of = early
healthy.serve()
