"""It says that it is ready without looking."""

import healthy

import app

app.app.view_functions["live.ready"] = lambda: "ready"
healthy.serve()
