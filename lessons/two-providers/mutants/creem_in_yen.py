"""It books what came in euros as yen, because everything in this shop was in yen."""

import healthy

import checkout
import creem

of_creem = creem.of_creem


def in_yen(db, name):
    found = of_creem(db, name)
    return found and (found[0], checkout.CURRENCY, found[2])


creem.of_creem = in_yen
healthy.serve()
