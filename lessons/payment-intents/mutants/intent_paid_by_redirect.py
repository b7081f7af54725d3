"""It believes the address that the browser comes back with."""

import healthy

import checkout
import intent
import ledger
from flask import request

service = type(checkout.client.v1.payment_intents)
retrieve = service.retrieve


def believe(self, name, *more):
    found = retrieve(self, name, *more)
    if request.args.get("redirect_status") == "succeeded":
        with ledger.opened() as db:
            intent.keep(db, intent.Came(found.id, found.metadata["order"], found.amount))
    return found


service.retrieve = believe
healthy.serve()
