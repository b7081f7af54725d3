"""It takes the forms of every site."""

import healthy

import live

live.is_foreign = lambda: False
healthy.serve()
