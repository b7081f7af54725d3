"""An event that it does not know is an error: 500, and it comes again and again."""

import healthy

import meaning

of = meaning.of


def known(event):
    fact = of(event)
    if fact is None:
        raise RuntimeError(f"what is {event['type']}?")
    return fact


meaning.of = known
healthy.serve()
