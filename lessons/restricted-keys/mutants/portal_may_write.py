"""To look for a customer it asks for the right to change them all."""

import healthy

import rights

rights.NEEDED["portal"] = ["customers:write", "billing_portal_sessions:write"]
healthy.serve()
