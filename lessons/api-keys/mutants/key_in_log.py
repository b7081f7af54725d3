"""It writes the key into its log."""

import healthy

import apikey

issue = apikey.issue


def told(session, paid_for):
    key = issue(session, paid_for)
    apikey.log.info("session %s has the key %s", session, key)
    return key


apikey.issue = told
healthy.serve()
