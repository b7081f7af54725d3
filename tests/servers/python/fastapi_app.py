"""FastAPI with uvicorn."""

import fastapi
import uvicorn
from fastapi.responses import HTMLResponse, RedirectResponse, Response

import shop
from by_sdk import genuine

app = fastapi.FastAPI()


@app.get("/", response_class=HTMLResponse)
@app.get("/success", response_class=HTMLResponse)
@app.get("/cancel", response_class=HTMLResponse)
def page(request: fastapi.Request):
    return shop.page(request.url.path, request.url.query)


@app.get("/ledger")
def ledger(request: fastapi.Request):
    if not shop.local(request.headers["host"]):
        raise fastapi.HTTPException(403)
    kind, text = shop.ledger()
    return Response(text, media_type=kind)


@app.post("/checkout")
def checkout():
    return RedirectResponse(shop.buy({}), 303)


@app.post("/webhook")
async def webhook(request: fastapi.Request):
    body = await request.body()
    return Response(status_code=shop.receive(genuine, request.headers.get("stripe-signature"), body))


shop.prepare()
uvicorn.run(app, host="127.0.0.1", port=shop.PORT)
