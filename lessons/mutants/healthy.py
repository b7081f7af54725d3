"""The shop in Python with nothing broken: what the broken ones are held against, and what they start from.

A broken one imports this first (then the solution's modules are found), breaks one thing, and calls `serve`.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "track/python/solution"))


def shop():
    """The Flask application; whatever is broken before this call is broken in it."""
    import app

    return app.app


def serve():
    import settings

    shop().run(host="127.0.0.1", port=settings.PORT, threaded=True)


if __name__ == "__main__":
    serve()
