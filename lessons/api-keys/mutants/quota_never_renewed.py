"""The quota is for ever: whoever pays the next month has nothing of it."""

import healthy

import apikey

apikey.periods = lambda db, paid_for: 0
healthy.serve()
