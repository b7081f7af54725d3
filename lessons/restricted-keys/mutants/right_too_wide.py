"""To sell it asks for a right that selling does not need: whoever steals the key can pay money back."""

import healthy

import rights

rights.NEEDED["checkout"] = ["checkout_sessions:write", "refunds:write"]
healthy.serve()
