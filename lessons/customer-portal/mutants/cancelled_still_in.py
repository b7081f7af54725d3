"""Who said beforehand that they would leave is never locked out."""

import healthy

import subscription

of = subscription.of


def unplanned(kind, thing):
    planned = kind == "customer.subscription.deleted" and thing["cancel_at_period_end"]
    return None if planned else of(kind, thing)


subscription.of = unplanned
healthy.serve()
