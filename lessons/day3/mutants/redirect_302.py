"""It answers an event with a redirect, which counts as not delivered."""

import healthy

from flask import redirect

shop = healthy.shop()
receive = shop.view_functions["webhook.receive"]


def elsewhere():
    answer = receive()
    return redirect("/") if answer[1] == 200 else answer


shop.view_functions["webhook.receive"] = elsewhere
healthy.serve()
