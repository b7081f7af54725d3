"""It sells at the price that the form names."""

import healthy

import checkout
from flask import request

line_item = checkout.line_item


def as_asked():
    item = line_item()
    price = item["price_data"]
    price["unit_amount"] = request.values.get("amount", price["unit_amount"], type=int)
    return item


checkout.line_item = as_asked
healthy.serve()
