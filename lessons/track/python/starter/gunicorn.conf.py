"""How gunicorn serves the shop: `gunicorn app:app` reads this by itself."""

import os

# In a container the host must reach it, so compose.yaml sets 0.0.0.0; elsewhere only this machine does.
bind = f"{os.environ.get('BIND', '127.0.0.1')}:{os.environ.get('PORT', '4242')}"
workers = 2
threads = 4
# The file of the ledger is made once, before the workers part.
preload_app = True
# Nobody steers a shop in a container from outside.
control_socket_disable = True
