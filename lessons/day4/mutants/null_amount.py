"""A session that only saves a card is an error."""

import healthy

import meaning
import webhook

of = meaning.of


def as_if_paid(event):
    thing = (event.get("data") or {}).get("object") or {}
    if event.get("type") == "checkout.session.completed":
        thing["amount_total"] = abs(thing["amount_total"])
    return of(event)


def receive_all(event):
    try:
        return as_if_paid(event)
    except TypeError as error:
        raise RuntimeError("no amount") from error


webhook.meaning.of = receive_all
healthy.serve()
