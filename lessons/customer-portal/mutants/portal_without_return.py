"""The portal that it opens has no way back to the shop."""

import healthy

import checkout

service = type(checkout.client.v1.billing_portal.sessions)
create = service.create
service.create = lambda self, params: create(self, {"customer": params["customer"]})
healthy.serve()
