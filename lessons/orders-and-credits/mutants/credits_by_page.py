"""The page after the purchase gives the credits as well: each time that it is opened."""

import healthy

import checkout
import credit
from flask import request

service = type(checkout.client.v1.checkout.sessions)
retrieve, credits_of, given = service.retrieve, credit.credits_of, {}


def give(self, name, *more):
    session = retrieve(self, name, *more)
    if request.path == "/credits/verify" and session.payment_status == "paid":
        whose = session.client_reference_id
        given[whose] = given.get(whose, 0) + credit.CREDITS
    return session


service.retrieve = give
credit.credits_of = lambda whose: credits_of(whose) + given.get(whose, 0)
healthy.serve()
