"""The shop in Python with nothing broken: what the broken ones are held against, and what they start from.

Started in the folder of the solution. A broken one imports this first (then the solution's modules are found),
breaks one thing, and calls `serve`.
"""

import os
import sys

sys.path.insert(0, os.getcwd())


def shop():
    """The Flask application; whatever is broken before this call is broken in it."""
    import app

    return app.app


def serve():
    import settings

    shop().run(host="127.0.0.1", port=settings.PORT, threaded=True)


if __name__ == "__main__":
    serve()
