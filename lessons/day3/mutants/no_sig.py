"""It believes every body, signed or not."""

import healthy

import json

import webhook

webhook.genuine = lambda body, signature: json.loads(body)
healthy.serve()
