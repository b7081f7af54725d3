"""A purchase that is complete gives credits, though the money is still to come."""

import healthy

import credit

left = credit.left
credit.left = lambda row, credits: credits if row and row["status"] == "unpaid" else left(row, credits)
healthy.serve()
