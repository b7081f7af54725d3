# What the shop of `stripegym shop` says to its users.

shop = Credit shop
own-name = English
language = Language
navigation = Pages
skip = Skip to the content
test-only = Test mode: no real money moves.

## Accounts

nav-account = My account
nav-api = API
nav-cards = Cards
nav-my-page = My page
nav-pay = Pay
nav-pricing = Prices
sign-in = Sign in
sign-in-title = Sign in
sign-out = Sign out
sign-up = Sign up
sign-up-title = Make an account
email = E-mail address
password = Password
password-rule = At least 10 characters.
have-account = You have an account?
no-account = No account yet?

## Prices

home-title = Welcome
home-text = Credits to buy once, or to receive every month.
to-pricing = See the prices
pricing-title = Prices
pricing-text = You pay on the payment provider's page. Your credits are here as soon as the payment is confirmed.
no-plans = Nothing is for sale at the moment.
once = once
per-month = a month
per-year = a year
paid-with = Paid with { $provider }
coupon = Coupon or promotion code (optional)
buy = Buy
subscribe = Subscribe
sign-in-to-buy = Sign in to buy

## An account

account-title = My account
credits = Credits
credit-book = Credit book
no-credits = No credits were given yet.
orders = Orders
no-orders = You have not ordered anything yet.
subscription = Subscription
subscriptions = Subscriptions
no-subscriptions = You have no subscription.
order = Order
plan = Plan
status = Status
amount = Amount
date = Date
period = Period
reason = Reason
reason-purchase = Purchase
reason-refund = Refund
reason-dispute = Disputed payment
reason-grant = Given by hand
status-pending = Waiting for the payment
status-succeeded = Paid
status-failed = Payment failed
status-partially-refunded = Partly refunded
status-refunded = Refunded
status-disputed = Disputed
status-active = Active
status-trialing = On trial
status-past-due = Payment overdue
status-unpaid = Unpaid
status-paused = Paused
status-incomplete = Not yet paid
status-canceled = Ended
ends-on = Ends on { $date }
renews-on = Until { $date }, then renewed

## After a payment

success-title = Thank you. The payment succeeded.
success-text = Your order is complete.
coming-title = The order is placed. The payment is on its way.
coming-text = Your account shows when it has arrived.

## What cannot be done

error-signed-out = Please sign in first.
error-sign-in = E-mail address or password is not right.
error-sign-up = No account can be made with this address. If you have one, sign in.
error-email = Please enter an e-mail address.
error-password = The password needs 10 to 256 characters.
error-too-often = Too many tries. Please wait { $seconds } seconds.
error-foreign-form = This form was not sent from a page of this shop, or the page is too old. Open it again.
error-form = The form could not be read.
error-json = The request has to be JSON with what is documented.
error-too-long = That is too long.
error-no-page = There is no such page.
error-provider = The payment provider did not do what was asked. Please try again.
error-provider-name = There is no such payment provider.
error-store = This cannot be saved right now. Please try again.
error-coupon = This code is not valid here.
error-plan = There is no such plan.
error-subscribed = You have this subscription already.
error-rights = The key of this shop may not do that. `stripegym doctor` says which right it lacks.
error-session = There is no such checkout.
error-other-user = This checkout is somebody else's.
error-not-complete = This checkout is not complete.
error-creem = This shop does not sell through Creem.
error-signature = This address is not the one that Creem sent you to.

## Charts, of the owner alone

charts-title = Charts
charts-text = From the journal of the last 30 days. Solid bars are Stripe's, hatched ones Creem's.
chart-success = Payments that succeeded
chart-declines = Declined payments, by code
chart-revenue = Revenue by day { $currency }
chart-credits = Credits that are not used yet
chart-none = Nothing yet.
chart-of = { $paid } of { $all } ({ $percent }%)
error-owner = Only the owner of the shop sees this. Whoever runs the shop says who that is:
