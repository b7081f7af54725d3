"""What an event means for the ledger. Nothing here depends on which event came before."""

from dataclasses import dataclass

import dispute
import intent
import subscription
import users


@dataclass(frozen=True)
class Payment:
    """How a Checkout Session stands."""

    session_id: str
    amount: int
    currency: str
    status: str
    created: int
    updated: int
    payment_intent: str | None

    def __str__(self) -> str:
        return f"{self.session_id} {self.amount} {self.currency} {self.status}"


@dataclass(frozen=True)
class Refund:
    """Money that went back: `total` of a charge so far, or one refund that was `sent` or `returned`."""

    source: str
    payment_intent: str
    amount: int
    state: str

    def __str__(self) -> str:
        return f"{self.source} {self.amount} {self.state}"


def of(event: object) -> object | None:
    """The fact in an event, None where there is none; ValueError where it is not an event at all."""
    if not isinstance(event, dict) or event.get("object") != "event":
        raise ValueError("not an event")
    thing = (event.get("data") or {}).get("object")
    if not isinstance(thing, dict) or not event.get("id") or not event.get("type"):
        raise ValueError("an event without its object")
    try:
        return read(event["type"], event["created"], thing)
    except (KeyError, TypeError) as error:
        raise ValueError(f"the object lacks {error}") from error


def read(kind: str, at: int, thing: dict) -> object | None:
    match kind:
        case "checkout.session.completed" | "checkout.session.async_payment_succeeded":
            # Complete is not paid: konbini and bank transfers are paid days later.
            return payment(thing, thing["payment_status"], at)
        case "checkout.session.async_payment_failed":
            return payment(thing, "failed", at)
        case "checkout.session.expired":
            return payment(thing, "expired", at)
        case "charge.refunded" if thing.get("payment_intent"):
            return Refund(thing["id"], thing["payment_intent"], thing["amount_refunded"], "total")
        case (
            "refund.created" | "refund.updated" | "refund.failed" | "charge.refund.updated"
        ) if thing.get("payment_intent"):
            ended = thing["status"] in ("failed", "canceled")
            state = "returned" if ended else "sent"
            return Refund(thing["id"], thing["payment_intent"], thing["amount"], state)
    parts = (dispute, intent, subscription, users)
    return next((fact for part in parts if (fact := part.of(kind, thing))), None)


def payment(session: dict, status: str, at: int) -> Payment | None:
    if session.get("amount_total") is None:
        return None  # it saves a card; no money is its subject
    return Payment(
        session_id=session["id"],
        amount=session["amount_total"],
        currency=session["currency"],
        status=status,
        created=session["created"],
        updated=at,
        payment_intent=session.get("payment_intent"),
    )
