"""A link buys: whatever looks ahead or crawls makes a session."""

import healthy

import checkout

shop = healthy.shop()
shop.add_url_rule("/checkout", "prefetched", checkout.begin, methods=["GET"])
healthy.serve()
