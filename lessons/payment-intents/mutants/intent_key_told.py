"""It tells the buyer's page its secret key as well."""

import healthy

import intent
import settings

jsonify = intent.jsonify
intent.jsonify = lambda **said: jsonify(**said, key=settings.SECRET_KEY)
healthy.serve()
