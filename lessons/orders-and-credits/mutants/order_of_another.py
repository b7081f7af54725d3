"""Whoever names a session is told of it and given its credits, whosever it is."""

import healthy

import credit
from flask import request

orders = credit.orders


def named(whose):
    session = request.args.get("session_id")
    return {**orders(whose), **({session: credit.CREDITS} if session else {})}


credit.orders = named
healthy.serve()
