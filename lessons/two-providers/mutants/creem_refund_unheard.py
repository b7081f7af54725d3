"""It does not hear that Creem gave the money back: the credits stay."""

import healthy

import creem

record = creem.record
creem.record = lambda kind, thing: None if kind == "refund.created" else record(kind, thing)
healthy.serve()
