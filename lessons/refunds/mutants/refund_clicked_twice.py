"""It makes a new refund for each click, whatever number the click has."""

import uuid

import healthy

import checkout

service = type(checkout.client.v1.refunds)
create = service.create
service.create = lambda self, params, _: create(self, params, {"idempotency_key": str(uuid.uuid4())})
healthy.serve()
