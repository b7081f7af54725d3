"""What goes back is taken from the user's first purchase that is paid, whoever gave it back."""

import healthy

import creem

orders = creem.orders


def from_the_first(whose):
    found = orders(whose)
    back = sum(it["lost"] for it in found if it["provider"] == "creem")
    for it in found:
        if it["provider"] == "creem":
            it["lost"] = 0
    paid = next((it for it in found if it["paid"]), None)
    if paid:
        paid["lost"] += back
    return found


creem.orders = from_the_first
healthy.serve()
