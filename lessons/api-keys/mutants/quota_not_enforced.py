"""It counts the calls and answers all of them."""

import healthy

import apikey

spend = apikey.spend


def counted(db, key):
    spend(db, key)
    return True


apikey.spend = counted
healthy.serve()
