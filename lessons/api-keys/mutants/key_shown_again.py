"""The page shows the key each time that it is opened: so does every history, and whoever sits down there next."""

import healthy

import apikey

issue, shown = apikey.issue, {}


def again(session, paid_for):
    key = issue(session, paid_for)
    return shown.setdefault(session, key)


apikey.issue = again
healthy.serve()
