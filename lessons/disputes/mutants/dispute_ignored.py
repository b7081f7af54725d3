"""It never hears of disputes: what the bank took is still counted as paid."""

import healthy

import dispute

dispute.of = lambda kind, thing: None
healthy.serve()
