"""Starlette with uvicorn, the webhook alone."""

import uvicorn
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response
from starlette.routing import Route

import shop
from by_sdk import genuine


async def webhook(request):
    body = await request.body()
    header = request.headers.get("stripe-signature")
    return Response(status_code=await run_in_threadpool(shop.receive, genuine, header, body))


async def ledger(request):
    kind, text = shop.ledger()
    return Response(text, media_type=kind)


shop.prepare()
app = Starlette(routes=[Route("/webhook", webhook, methods=["POST"]), Route("/ledger", ledger)])
uvicorn.run(app, host="127.0.0.1", port=shop.PORT, log_level="warning")
