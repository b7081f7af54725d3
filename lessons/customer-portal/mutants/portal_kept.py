"""It keeps the first portal that it made and leads everybody there."""

import healthy

import checkout

service = type(checkout.client.v1.billing_portal.sessions)
create, kept = service.create, []


def once(self, params):
    if not kept:
        kept.append(create(self, params))
    return kept[0]


service.create = once
healthy.serve()
