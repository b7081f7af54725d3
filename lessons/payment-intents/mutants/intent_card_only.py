"""It takes cards and nothing else, whatever the dashboard says."""

import healthy

import checkout

service = type(checkout.client.v1.payment_intents)
create = service.create


def cards(self, params, options=None):
    rest = {name: value for name, value in params.items() if name != "automatic_payment_methods"}
    return create(self, {**rest, "allowed_payment_method_types": ["card"]}, options)


service.create = cards
healthy.serve()
