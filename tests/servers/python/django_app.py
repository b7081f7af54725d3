"""Django in one file, with its middleware for CSRF."""

import os
import sys

from django.conf import settings
from django.core.management import execute_from_command_line
from django.core.wsgi import get_wsgi_application
from django.http import HttpResponse, HttpResponseForbidden
from django.urls import path
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_POST

import shop
from by_sdk import genuine

settings.configure(
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=__name__,
    SECRET_KEY="for this test alone",
    MIDDLEWARE=["django.middleware.common.CommonMiddleware", "django.middleware.csrf.CsrfViewMiddleware"],
)


@require_GET
def page(request):
    return HttpResponse(shop.page(request.path, request.META["QUERY_STRING"]))


@require_GET
def ledger(request):
    if not shop.local(request.get_host()):
        return HttpResponseForbidden()
    kind, text = shop.ledger()
    return HttpResponse(text, content_type=kind)


@csrf_exempt
@require_POST
def checkout(request):
    return HttpResponse(status=303, headers={"Location": shop.buy(request.POST)})


@csrf_exempt
@require_POST
def webhook(request):
    return HttpResponse(status=shop.receive(genuine, request.headers.get("Stripe-Signature"), request.body))


urlpatterns = [
    path("", page),
    path("success", page),
    path("cancel", page),
    path("ledger", ledger),
    path("checkout", checkout),
    path("webhook", webhook),
]
application = get_wsgi_application()

if __name__ == "__main__":
    shop.prepare()
    execute_from_command_line([sys.argv[0], "runserver", "--noreload", f"127.0.0.1:{shop.PORT}"])
