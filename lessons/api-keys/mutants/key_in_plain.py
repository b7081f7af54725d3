"""It keeps the key as it is: whoever reads the file, or its backup, has all of them."""

import healthy

import apikey

apikey.digest = lambda key: key
healthy.serve()
