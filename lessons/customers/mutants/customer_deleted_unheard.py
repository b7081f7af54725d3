"""It never hears that a customer was deleted, and goes on with the id that it has."""

import healthy

import users

users.of = lambda kind, thing: None
healthy.serve()
