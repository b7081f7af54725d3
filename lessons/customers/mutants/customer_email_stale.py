"""What address a user has it tells Stripe once, and never again."""

import healthy

import checkout

told = set()
service = type(checkout.client.v1.customers)
update = service.update


def once(self, whose, params):
    if "email" in params and whose in told:
        return None
    told.add(whose)
    return update(self, whose, params)


service.update = once
healthy.serve()
