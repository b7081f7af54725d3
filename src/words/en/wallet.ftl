# What the merchant application says about a buyer's cards, payments and own page.

cards = Your cards
cards-none = No card is kept yet.
card-is = { $brand } ending in { $last4 }, valid until { $expiry }
card-default = Used for what renews
card-make-default = Use for what renews
card-remove = Remove
card-add = Add a card
card-add-more = Nothing is charged: the card is kept for later.
card-field = Card
card-save = Keep this card
pay = Pay
pay-more = A payment form of the shop's own. The card goes from your browser to the payment provider, never to the shop.
pay-amount = Amount in yen
pay-range = From { $least } to { $most }.
pay-go = Go on
pay-now = Pay { $amount }
pay-done = Thank you. { $amount } is paid.
pay-waiting = The payment is on its way.
pay-failed = The payment did not succeed. Nothing was charged.
needs-script = This form needs JavaScript: the card is typed into a frame of the payment provider.
no-publishable = The shop has no publishable key: set STRIPE_PUBLISHABLE_KEY.
my-page = My page
no-subscription = You have no subscription to change.
no-customer = You have not bought anything yet, so there is no page of invoices.
back = Back
