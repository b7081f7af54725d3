"""It books the first period twice: by its session and by its invoice."""

import healthy

import meaning
import subscription

read = meaning.read


def also_by_session(kind, at, thing):
    if kind == "checkout.session.completed" and thing["mode"] == "subscription":
        return subscription.Paid(thing["id"], thing["customer"], thing["subscription"], thing["amount_total"])
    return read(kind, at, thing)


meaning.read = also_by_session
healthy.serve()
