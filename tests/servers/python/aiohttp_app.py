"""aiohttp."""

import asyncio

from aiohttp import web

import shop
from by_sdk import genuine


async def page(request):
    return web.Response(text=shop.page(request.path, request.query_string), content_type="text/html")


async def ledger(request):
    if not shop.local(request.host):
        raise web.HTTPForbidden()
    kind, text = shop.ledger()
    return web.Response(text=text, content_type=kind)


async def checkout(request):
    raise web.HTTPSeeOther(await asyncio.to_thread(shop.buy, await request.post()))


async def webhook(request):
    body = await request.read()
    header = request.headers.get("Stripe-Signature")
    return web.Response(status=await asyncio.to_thread(shop.receive, genuine, header, body))


shop.prepare()
app = web.Application()
app.add_routes([web.get(path, page) for path in ("/", "/success", "/cancel")])
app.add_routes([web.get("/ledger", ledger), web.post("/checkout", checkout), web.post("/webhook", webhook)])
web.run_app(app, host="127.0.0.1", port=shop.PORT)
