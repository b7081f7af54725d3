"""A page that only looks asks for the right to write."""

import healthy

import rights

rights.NEEDED["success"] = ["checkout_sessions:write"]
healthy.serve()
