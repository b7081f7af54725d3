"""It takes the coupon from the form and never passes it on: the buyer pays the full price."""

import healthy

import checkout

service = type(checkout.client.v1.checkout.sessions)
create = service.create


def full(self, params, options=None):
    for discount in params.get("discounts", []):
        checkout.client.v1.coupons.retrieve(discount["coupon"])
    rest = {name: value for name, value in params.items() if name != "discounts"}
    return create(self, rest, options)


service.create = full
healthy.serve()
