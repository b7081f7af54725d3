"""What the environment decides. Read once, at the start: a shop without its secrets does not open."""

import os
import sys


def _wanted(name: str, prefixes: tuple[str, ...]) -> str:
    # A pasted secret often brings a space or a line end along; neither is ever part of one.
    value = os.environ.get(name, "").strip()
    if not value:
        sys.exit(f"{name} is not set; see .env.example")
    if not value.startswith(prefixes):
        sys.exit(f"{name} does not start with {' or '.join(prefixes)}: is it another kind of key?")
    return value


SECRET_KEY = _wanted("STRIPE_SECRET_KEY", ("sk_", "rk_"))
WEBHOOK_SECRET = _wanted("STRIPE_WEBHOOK_SECRET", ("whsec_",))
PUBLISHABLE_KEY = os.environ.get("STRIPE_PUBLISHABLE_KEY", "").strip()
LIVE = SECRET_KEY.startswith(("sk_live_", "rk_live_"))

# Empty means Stripe itself.
API_BASE = os.environ.get("STRIPE_API_BASE", "").strip().rstrip("/")
# How browsers reach the shop; empty means: as the request at hand did.
PUBLIC_URL = os.environ.get("PUBLIC_URL", "").strip().rstrip("/")
PORT = int(os.environ.get("PORT") or 4242)
LEDGER_DB = os.environ.get("LEDGER_DB") or "ledger.db"
# Without a token the ledger is shown to this machine alone.
LEDGER_TOKEN = os.environ.get("LEDGER_TOKEN", "").strip()


def _own(name: str) -> str | None:
    """A secret of what may be left out: where it is not set it is none, and never an empty text."""
    value = os.environ.get(name)
    return value.strip() or None if value else None


# The second provider; without its secret nothing that claims to be its is believed.
CREEM_API_BASE = os.environ.get("CREEM_API_BASE_URL", "").strip().rstrip("/")
CREEM_API_KEY = _own("CREEM_API_KEY")
CREEM_WEBHOOK_SECRET = _own("CREEM_WEBHOOK_SECRET")
