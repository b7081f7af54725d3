"""It makes a new customer of whoever subscribes, known or not."""

import healthy

import buyer
import checkout

buyer.welcome = lambda address: checkout.client.v1.customers.create({"email": address}).id
healthy.serve()
