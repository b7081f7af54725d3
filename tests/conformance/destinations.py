"""The official stripe-python with v2: event destinations and their thin events, accounts, their people and links.

Reads STRIPEGYM_API (the sandbox's address) and STRIPEGYM_KEY; ends with a trace where anything differs.
"""

import threading
from http.server import ThreadingHTTPServer

import stripe
from desk import client, deliveries, fails, Listener
from stripe.events import (
    V1CustomerCreatedEventNotification,
    V2CoreAccountIncludingIdentityUpdatedEventNotification,
    V2CoreEventDestinationPingEventNotification,
)

core = client.v2.core
INCLUDE = ["webhook_endpoint.signing_secret", "webhook_endpoint.url"]


def told(secret):
    """The next thin event, by the library's own parser."""
    body, signature = deliveries.get(timeout=30)
    return client.parse_event_notification(body, signature, secret)


def until(secret, kind):
    while True:
        event = told(secret)
        if event.type == kind:
            return event


def destination(url, **more):
    sent = {
        "name": "Shop",
        "type": "webhook_endpoint",
        "event_payload": "thin",
        "enabled_events": ["v1.customer.created", "v1.product.created"],
        "webhook_endpoint": {"url": url},
        "include": INCLUDE,
    }
    return core.event_destinations.create({**sent, **more})


def destinations(url):
    made = destination(url)
    secret = made.webhook_endpoint.signing_secret
    assert secret.startswith("whsec_") and made.snapshot_api_version is None
    assert core.event_destinations.retrieve(made.id).webhook_endpoint.url is None
    shown = core.event_destinations.retrieve(made.id, {"include": ["webhook_endpoint.url"]})
    assert shown.webhook_endpoint.url == url and shown.webhook_endpoint.signing_secret is None

    customer = client.v1.customers.create({"name": "Aki"})
    event = told(secret)
    assert isinstance(event, V1CustomerCreatedEventNotification), event
    assert event.related_object.id == customer.id and event.context is None
    assert event.reason.request.idempotency_key, "the library always sends one"
    assert event.fetch_related_object().name == "Aki"
    whole = event.fetch_event()
    assert (whole.id, whole.type) == (event.id, "v1.customer.created")
    assert client.v1.events.retrieve(whole.snapshot_event).data.object.id == customer.id
    assert core.events.retrieve(event.id).related_object.url == f"/v1/customers/{customer.id}"
    listed = core.events.list({"object_id": customer.id, "types": ["v1.customer.created"]})
    assert [it.id for it in listed.data] == [event.id]

    ping = core.event_destinations.ping(made.id)
    event = told(secret)
    assert isinstance(event, V2CoreEventDestinationPingEventNotification) and event.id == ping.id
    assert event.fetch_related_object().id == made.id

    off = core.event_destinations.disable(made.id)
    assert off.status == "disabled" and off.status_details.disabled.reason == "user"
    client.v1.customers.create({"name": "Nobody is told"})
    on = core.event_destinations.enable(made.id)
    assert on.status == "enabled" and on.status_details is None
    changed = core.event_destinations.update(made.id, {"name": "Till", "metadata": {"a": "1"}})
    assert (changed.name, changed.metadata["a"]) == ("Till", "1")
    client.v1.products.create({"name": "Tea"})
    assert told(secret).type == "v1.product.created"

    more = [destination(url, enabled_events=["v1.price.created"]).id for _ in range(4)]
    pages = core.event_destinations.list({"limit": 2})
    assert len(pages.data) == 2 and pages.next_page_url
    found = [it.id for it in pages.auto_paging_iter()]
    assert found == [*reversed(more), made.id], found
    for one in more:
        assert core.event_destinations.delete(one).id == one
    wrong = lambda: destination(url, enabled_events=["customer.created"])
    fails(stripe.InvalidRequestError, wrong, http_status=400)
    gone = lambda: core.event_destinations.retrieve(more[0])
    fails(stripe.InvalidRequestError, gone, http_status=404, code="not_found")
    return made.id


def accounts(url):
    made = core.accounts.create(
        {
            "contact_email": "shop@example.com",
            "display_name": "Tea",
            "dashboard": "none",
            "configuration": {
                "merchant": {"capabilities": {"card_payments": {"requested": True}}},
                "recipient": {
                    "capabilities": {"stripe_balance": {"stripe_transfers": {"requested": True}}}
                },
            },
            "defaults": {
                "responsibilities": {
                    "fees_collector": "application",
                    "losses_collector": "application",
                }
            },
            "identity": {"country": "us", "entity_type": "company"},
            "include": ["configuration.merchant", "identity", "requirements"],
        }
    )
    assert made.applied_configurations == ["merchant", "recipient"]
    assert made.configuration.merchant.capabilities.card_payments.status == "restricted"
    assert made.requirements.entries and made.defaults is None
    assert client.v1.accounts.retrieve(made.id).business_type == "company"
    secret = destination(url, enabled_events=["*"], events_from=["@self", "@accounts"])
    secret = secret.webhook_endpoint.signing_secret
    identity = {"business_details": {"registered_name": "Tea House", "phone": "0000000000"}}
    changed = core.accounts.update(made.id, {"identity": identity, "include": ["identity"]})
    assert changed.identity.business_details.registered_name == "Tea House"
    event = until(secret, "v2.core.account[identity].updated")
    assert isinstance(event, V2CoreAccountIncludingIdentityUpdatedEventNotification)
    assert event.fetch_related_object().id == made.id

    person = core.accounts.persons.create(
        made.id,
        {
            "given_name": "Jenny",
            "surname": "Rosen",
            "id_numbers": [{"type": "us_ssn_last_4", "value": "0000"}],
            "relationship": {"representative": True, "title": "CEO"},
        },
    )
    assert person.account == made.id and person.id_numbers[0].type == "us_ssn_last_4"
    person = core.accounts.persons.update(made.id, person.id, {"email": "jenny@example.com"})
    assert core.accounts.persons.retrieve(made.id, person.id).email == "jenny@example.com"
    assert [it.id for it in core.accounts.persons.list(made.id).data] == [person.id]
    event = until(secret, "v2.core.account_person.created")
    assert event.fetch_related_object().given_name == "Jenny"
    assert core.accounts.persons.delete(made.id, person.id).id == person.id

    onboarding = {"refresh_url": "https://example.com/again"}
    case = {"type": "account_onboarding", "account_onboarding": onboarding}
    link = core.account_links.create({"account": made.id, "use_case": case})
    assert f"/setup/c/{made.id}/" in link.url and link.use_case.type == "account_onboarding"

    # What happens in the account names it as the context, in which the object is found.
    there = {"stripe_context": made.id}
    product = client.v1.products.create({"name": "Tea"}, options=there)
    event = until(secret, "v1.product.created")
    assert str(event.context) == made.id and event.related_object.id == product.id
    assert event.fetch_related_object().name == "Tea"
    assert event.fetch_event().context == made.id

    listed = core.accounts.list({"applied_configurations": ["merchant"]})
    assert [it.id for it in listed.data] == [made.id]
    named = {"applied_configurations": ["merchant", "recipient"]}
    assert core.accounts.close(made.id, named).closed
    assert core.accounts.list().data == []
    assert core.accounts.retrieve(made.id).closed


server = ThreadingHTTPServer(("127.0.0.1", 0), Listener)
threading.Thread(target=server.serve_forever, daemon=True).start()
url = f"http://127.0.0.1:{server.server_port}/thin"
core.event_destinations.delete(destinations(url))
accounts(url)
server.shutdown()
print("stripe-python", stripe.VERSION, "conforms")
