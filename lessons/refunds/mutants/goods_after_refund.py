"""It sends what was paid once, whatever went back since."""

import healthy

import refund


def once_paid(row):
    return "send" if row["status"] in ("paid", "partially_refunded", "refunded", "no_payment_required") else "hold"


refund.goods = once_paid
healthy.serve()
