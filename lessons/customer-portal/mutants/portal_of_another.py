"""It opens the portal of the customer that the request names."""

import healthy

import buyer
from flask import request

customer = buyer.customer
buyer.customer = lambda address: request.values.get("customer") or customer(address)
healthy.serve()
