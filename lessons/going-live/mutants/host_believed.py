"""It believes the Host of the request: whoever sends another one is led there after the payment."""

import healthy

import live


class Everywhere:
    def __contains__(self, name):
        return True


live.OURS = Everywhere()
healthy.serve()
