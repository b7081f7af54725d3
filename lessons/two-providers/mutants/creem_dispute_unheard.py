"""It does not hear that a bank has taken the money back from Creem: the credits stay."""

import healthy

import creem

record = creem.record
creem.record = lambda kind, thing: None if kind == "dispute.created" else record(kind, thing)
healthy.serve()
