"""It accepts a signature of any age, so a recorded event can be sent again next year."""

import healthy

import stripe

stripe.Webhook.DEFAULT_TOLERANCE = None
healthy.serve()
