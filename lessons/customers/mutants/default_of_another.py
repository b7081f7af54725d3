"""It asks whose the card is and not who asks: anybody chooses the card of anybody."""

import healthy

import checkout
import users
from flask import request

own = users.own


def theirs():
    card = request.form.get("card")
    return checkout.client.v1.payment_methods.retrieve(card).customer if card else own()


users.own = theirs
healthy.serve()
