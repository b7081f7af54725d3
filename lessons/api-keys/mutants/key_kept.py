"""A key opens for ever: nobody asks whether what pays for it goes on."""

import healthy

import apikey

apikey.is_over = lambda db, paid_for: False
healthy.serve()
