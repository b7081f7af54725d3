# What the built-in shop says to its customers.

shop = A small shop
test-only = Test mode: no real money moves.
quantity = Quantity
buy = Buy
ledger = Ledger
back = Back to the shop
thanks = Thank you. The payment succeeded.
waiting = The order is placed. The payment is on its way.
waiting-more = It is shipped once the payment has arrived; the ledger shows when.
not-paid = This checkout was not paid.
unknown = There is no such checkout.
cancelled = The payment was cancelled.
cancelled-more = Nothing was charged.
provider-failed = The payment provider did not do what was asked.
not-found = There is no such page.
foreign-form = This form was sent by another site.
session = Checkout Session
amount = Amount
status = Status
created = Created
event = Event
empty = The ledger is empty.
paid = Paid
refunded = Refunded
