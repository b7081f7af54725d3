"""It takes any refund for the whole of the payment."""

import healthy

import ledger

ledger.SCHEMA = ledger.SCHEMA.replace("'partially_refunded'", "'refunded'")
healthy.serve()
