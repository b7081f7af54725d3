"""It counts yen in hundredths and asks for ¥50,000 instead of ¥500."""

import healthy

import checkout

line_item = checkout.line_item


def in_sen():
    item = line_item()
    item["price_data"]["unit_amount"] *= 100
    return item


checkout.line_item = in_sen
healthy.serve()
