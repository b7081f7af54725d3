# What Creem's pages say beside what every page of payment says.

test-cards-text = 4242 4242 4242 4242 pays, 4000 0000 0000 0002 is declined, 4000 0000 0000 9995 has insufficient funds, 4000 0000 0000 0341 pays once and fails every renewal. Any future date, any CVC. 3-D Secure is not asked for.
footer = This page stands for Creem's. Not affiliated with Creem.
orders = Orders
no-orders = There is no order yet.
canceled = Canceled
resumed = Your subscription is active again.
trial = Days free: { $count }
then-each = Then { $amount }
