"""It sells a second subscription to whoever has one."""

import healthy

import subscription

subscription.is_subscribed = lambda whose: False
healthy.serve()
