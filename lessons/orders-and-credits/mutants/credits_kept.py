"""Credits stay when the money goes back."""

import healthy

import credit

left = credit.left
credit.left = lambda row, credits: credits if row and row["refunded"] else left(row, credits)
healthy.serve()
