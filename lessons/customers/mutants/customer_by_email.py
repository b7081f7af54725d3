"""It takes the address for the person: whoever has the same one gets the same customer."""

import healthy

import buyer
from flask import request

user = buyer.user


def address():
    if "email" in request.form:
        return "".join(letter for letter in request.form["email"] if letter.isalnum())
    return user()


buyer.user = address
healthy.serve()
