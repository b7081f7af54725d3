"""It sends evidence as often as it is asked to, without a look at how the dispute stands."""

import uuid

import healthy

import checkout
import dispute
from flask import jsonify, request

shop = healthy.shop()


def again():
    sent = checkout.client.v1.disputes.update(
        request.form["dispute"],
        {"evidence": {"product_description": checkout.NAME}, "submit": True},
        {"idempotency_key": str(uuid.uuid4())},
    )
    return jsonify(dispute=sent.id, status=sent.status)


shop.view_functions["dispute.answer"] = again
healthy.serve()
