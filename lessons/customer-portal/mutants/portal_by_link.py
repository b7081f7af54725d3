"""A mere link opens the portal: whoever follows it is let in."""

import healthy

import portal

shop = healthy.shop()
shop.add_url_rule("/portal", "link", portal.enter, methods=["GET"])
healthy.serve()
