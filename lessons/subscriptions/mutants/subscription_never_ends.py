"""It never hears that a subscription is over."""

import healthy

import subscription

of = subscription.of
subscription.of = lambda kind, thing: None if kind == "customer.subscription.deleted" else of(kind, thing)
healthy.serve()
