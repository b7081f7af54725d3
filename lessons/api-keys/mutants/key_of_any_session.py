"""Whoever has the address of the page is given the key, whosever session it is."""

import healthy

import apikey

apikey.owns = lambda whose, session: True
healthy.serve()
