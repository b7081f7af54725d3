"""It takes a signature of any scheme for one."""

import healthy

import webhook

genuine = webhook.genuine
webhook.genuine = lambda body, signature: genuine(body, signature and signature.replace("v0=", "v1="))
healthy.serve()
