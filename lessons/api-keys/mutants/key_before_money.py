"""It gives the key to whoever comes back from the payment page, paid or not."""

import healthy

import apikey

issue = apikey.issue
apikey.is_paid = lambda session: True
apikey.issue = lambda session, paid_for: issue(session, paid_for or session)
healthy.serve()
