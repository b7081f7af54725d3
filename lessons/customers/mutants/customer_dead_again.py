"""It makes every customer of a user under one key: after a deletion Stripe answers with the one that is gone."""

import healthy

import checkout

service = type(checkout.client.v1.customers)
create = service.create


def same(self, params, options):
    key = options["idempotency_key"].rsplit("-", 1)[0]
    return create(self, params, {"idempotency_key": key})


service.create = same
healthy.serve()
