"""It takes the price from the form."""

import healthy

import checkout
from flask import request

service = type(checkout.client.v1.payment_intents)
create = service.create


def asked(self, params, options=None):
    amount = int(request.form.get("amount", params["amount"]))
    return create(self, {**params, "amount": amount}, options)


service.create = asked
healthy.serve()
