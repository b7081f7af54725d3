"""The official stripe-python against the sandbox: what is taken off, what is added, and what a buyer is sent to.

Reads STRIPEGYM_API (the sandbox's address) and STRIPEGYM_KEY; ends with a trace where anything differs.
"""

import desk
import stripe
from desk import api, client

v1 = client.v1


def fails(call, **expected):
    return desk.fails(stripe.InvalidRequestError, call, **expected)


def offers():
    ten = v1.coupons.create({"id": "TEN", "percent_off": 10, "name": "Ten"})
    assert ten.valid and ten.duration == "once"
    off = v1.coupons.create({"amount_off": 500, "currency": "usd", "max_redemptions": 1})
    whole = v1.coupons.retrieve(off.id, {"expand": ["currency_options", "applies_to"]})
    assert whole.currency_options["usd"].amount_off == 500
    assert v1.coupons.update("TEN", {"metadata": {"k": "v"}}).metadata["k"] == "v"
    assert [it.id for it in v1.coupons.list().data] == [off.id, "TEN"]
    assert v1.coupons.delete(off.id).deleted
    fails(lambda: v1.coupons.retrieve(off.id), code="resource_missing", http_status=404)
    fails(
        lambda: v1.coupons.create({"amount_off": 1}),
        param="currency",
        user_message="You must pass currency when passing amount_off",
    )
    code = v1.promotion_codes.create(
        {"promotion": {"type": "coupon", "coupon": "TEN"}, "code": "SPRING"}
    )
    assert v1.promotion_codes.retrieve(code.id).promotion.coupon == "TEN"
    shown = v1.promotion_codes.retrieve(code.id, {"expand": ["promotion.coupon"]})
    assert shown.promotion.coupon.percent_off == 10
    assert v1.promotion_codes.list({"code": "spring"}).data[0].id == code.id
    assert not v1.promotion_codes.update(code.id, {"active": False}).active
    assert v1.promotion_codes.update(code.id, {"active": True}).active
    fails(
        lambda: v1.promotion_codes.create(
            {"promotion": {"type": "coupon", "coupon": "TEN"}, "code": "spring"}
        ),
        user_message="An active promotion code with `code: spring` already exists.",
    )
    return code


def taxes():
    rate = v1.tax_rates.create({"display_name": "GST", "percentage": 5, "inclusive": False})
    assert v1.tax_rates.update(rate.id, {"country": "CA"}).country == "CA"
    assert v1.tax_rates.retrieve(rate.id).effective_percentage == 5
    assert v1.tax_rates.list({"inclusive": False}).data[0].id == rate.id
    customer = v1.customers.create(
        {"tax_id_data": [{"type": "jp_trn", "value": "T1234567891234"}]}
    )
    other = v1.customers.tax_ids.create(customer.id, {"type": "eu_vat", "value": "DE123456789"})
    assert other.verification.status == "pending" and other.country == "DE"
    assert v1.customers.tax_ids.retrieve(customer.id, other.id).value == "DE123456789"
    assert len(v1.customers.tax_ids.list(customer.id).data) == 2
    assert v1.customers.tax_ids.delete(customer.id, other.id).deleted
    own = v1.tax_ids.create({"type": "jp_trn", "value": "T1234567891234"})
    assert v1.tax_ids.retrieve(own.id).owner.type == "self"
    assert v1.tax_ids.list().data[0].id == own.id
    assert v1.tax_ids.delete(own.id).deleted
    fails(
        lambda: v1.tax_ids.create({"type": "jp_trn", "value": "1"}),
        code="tax_id_invalid",
        param="value",
    )
    return rate


def shipping():
    rate = v1.shipping_rates.create(
        {
            "display_name": "Post",
            "type": "fixed_amount",
            "fixed_amount": {"amount": 300, "currency": "cad"},
        }
    )
    assert v1.shipping_rates.update(rate.id, {"metadata": {"k": "v"}}).metadata["k"] == "v"
    assert v1.shipping_rates.retrieve(rate.id).fixed_amount.amount == 300
    assert v1.shipping_rates.list({"currency": "cad"}).data[0].id == rate.id
    return rate


def sessions(code, rate, post):
    line = {
        "quantity": 1,
        "tax_rates": [rate.id],
        "price_data": {
            "currency": "cad",
            "unit_amount": 3000,
            "product_data": {"name": "Tea"},
        },
    }
    made = v1.checkout.sessions.create(
        {
            "mode": "payment",
            "success_url": "https://shop.example/",
            "line_items": [line],
            "discounts": [{"promotion_code": code.id}],
            "shipping_options": [{"shipping_rate": post.id}],
            "expand": ["line_items.data.taxes", "total_details.breakdown"],
        }
    )
    assert (made.amount_subtotal, made.amount_total) == (3000, 3135)
    details = made.total_details
    assert (details.amount_discount, details.amount_tax, details.amount_shipping) == (300, 135, 300)
    assert details.breakdown.taxes[0].rate.id == rate.id
    assert details.breakdown.discounts[0].discount.promotion_code == code.id
    assert made.line_items.data[0].taxes[0].amount == 135
    lines = v1.checkout.sessions.line_items.list(made.id, {"expand": ["data.discounts"]})
    assert lines.data[0].discounts[0].amount == 300
    changed = v1.checkout.sessions.update(made.id, {"metadata": {"k": "v"}})
    assert changed.metadata["k"] == "v"
    assert v1.checkout.sessions.expire(made.id).status == "expired"
    saves = v1.checkout.sessions.create(
        {
            "mode": "setup",
            "currency": "jpy",
            "success_url": "https://shop.example/",
            "expand": ["setup_intent"],
        }
    )
    assert saves.setup_intent.status == "requires_payment_method"
    assert saves.amount_total is None
    assert v1.checkout.sessions.expire(saves.id).status == "expired"
    assert v1.setup_intents.retrieve(saves.setup_intent.id).status == "canceled"
    fails(
        lambda: v1.checkout.sessions.create(
            {
                "mode": "payment",
                "success_url": "https://shop.example/",
                "line_items": [line],
                "discounts": [{"coupon": "NOPE"}],
            }
        ),
        code="resource_missing",
        param="discounts[0][coupon]",
    )


def links():
    price = v1.prices.create(
        {"currency": "jpy", "unit_amount": 500, "product_data": {"name": "Tea"}}
    )
    link = v1.payment_links.create({"line_items": [{"price": price.id, "quantity": 2}]})
    assert link.active and link.url.startswith(api)
    assert v1.payment_links.retrieve(link.id).after_completion.type == "hosted_confirmation"
    assert v1.payment_links.line_items.list(link.id).data[0].quantity == 2
    assert v1.payment_links.list({"active": True}).data[0].id == link.id
    assert not v1.payment_links.update(link.id, {"active": False}).active
    fails(lambda: v1.payment_links.retrieve("plink_x"), code="resource_missing", http_status=404)


sessions(offers(), taxes(), shipping())
links()
print("stripe-python conforms in what it sells")
