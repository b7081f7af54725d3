"""For the portal it asks for the rights of the checkout."""

import healthy

import rights

rights.NEEDED["portal"] = ["customers:read", "checkout_sessions:write"]
healthy.serve()
