"""What a shop needs that is open to the world: it answers to its own address alone, and says whether it can work."""

from flask import Blueprint

blueprint = Blueprint("live", __name__)

# Lesson going-live: before each request (blueprint.before_app_request) refuse with 4xx a Host that is neither that of
# settings.PUBLIC_URL nor this machine, and every POST but /webhook whose Origin or Sec-Fetch-Site is another site's.


@blueprint.get("/readyz")
def ready():
    # Lesson going-live: 200 while the ledger can be written to, 503 while it cannot, within a second or two.
    return "going-live", 501
