//! One file a Stripe object: what the catalog cannot know of it: transitions, amounts, side effects.

pub mod balance;
pub mod balance_transaction;
pub mod billing_credit_grant;
pub mod billing_meter;
pub mod billing_meter_event;
pub mod cash_balance;
pub mod charge;
pub mod checkout_session;
pub mod confirmation_token;
pub mod coupon;
pub mod credit_note;
pub mod customer;
pub mod customer_balance_transaction;
pub mod discount;
pub mod dispute;
pub mod early_fraud_warning;
pub mod ephemeral_key;
pub mod event;
pub mod event_destination;
pub mod invoice;
pub mod invoice_item;
pub mod invoice_line;
pub mod invoice_payment;
pub mod issuing_authorization;
pub mod issuing_transaction;
pub mod payment_intent;
pub mod payment_link;
pub mod payment_method;
pub mod payment_method_configuration;
pub mod payment_method_domain;
pub mod payment_page;
pub mod payout;
pub mod plan;
pub mod portal_configuration;
pub mod portal_session;
pub mod price;
pub mod product;
pub mod promotion_code;
pub mod quote;
pub mod refund;
pub mod report_run;
pub mod review;
pub mod setup_intent;
pub mod shipping_rate;
pub mod source;
pub mod subscription;
pub mod subscription_item;
pub mod subscription_schedule;
pub mod tax_rate;
pub mod test_clock;
pub mod thin_event;
pub mod token;
pub mod topup;
pub mod webhook_endpoint;

use crate::catalog::Catalog;
use crate::catalog::route::Endpoint;
use crate::sandbox::behaviour::balance as balances;
use crate::sandbox::behaviour::billing;
use crate::sandbox::behaviour::checkout;
use crate::sandbox::behaviour::connect;
use crate::sandbox::behaviour::dispute as disputes;
use crate::sandbox::behaviour::document::{Handler, text};
use crate::sandbox::behaviour::offer;
use crate::sandbox::behaviour::payment::{self, confirm};
use crate::sandbox::behaviour::payout as payouts;
use crate::sandbox::behaviour::setup;
use crate::sandbox::behaviour::tax_id;
use crate::sandbox::engine::object::Object;
use crate::sandbox::engine::txn::Txn;
use crate::sandbox::engine::txn::follow::{Behaviour, Job};
use serde_json::Value;
use std::collections::HashMap;
use std::sync::OnceLock;

/// What every change of a sandbox can have done by name.
pub const BEHAVIOUR: Behaviour = Behaviour { job, follow };

/// The behaviour of an endpoint (`POST /v1/products`), where it is modelled.
pub fn handler(key: &str) -> Option<Handler> {
    static MODELLED: OnceLock<HashMap<&'static str, Handler>> = OnceLock::new();
    let modelled = MODELLED.get_or_init(|| {
        let all = Catalog::get().routes().all().iter().map(Endpoint::key);
        all.filter_map(|key| Some((key, find_handler(key)?))).collect()
    });
    modelled.get(key).copied()
}

fn find_handler(key: &str) -> Option<Handler> {
    const MODELLED: &[fn(&str) -> Option<Handler>] = &[
        balance::handler,
        balance_transaction::handler,
        billing_credit_grant::handler,
        billing_meter::handler,
        billing_meter_event::handler,
        cash_balance::handler,
        charge::handler,
        checkout_session::handler,
        confirmation_token::handler,
        connect::handler,
        coupon::handler,
        credit_note::handler,
        customer::handler,
        customer_balance_transaction::handler,
        discount::handler,
        dispute::handler,
        early_fraud_warning::handler,
        ephemeral_key::handler,
        event::handler,
        event_destination::handler,
        invoice::handler,
        invoice_item::handler,
        invoice_line::handler,
        invoice_payment::handler,
        issuing_authorization::handler,
        issuing_transaction::handler,
        payment_intent::handler,
        payment_link::handler,
        payment_method::handler,
        payment_method_configuration::handler,
        payment_method_domain::handler,
        payment_page::handler,
        payout::handler,
        plan::handler,
        portal_configuration::handler,
        portal_session::handler,
        price::handler,
        product::handler,
        promotion_code::handler,
        quote::handler,
        refund::handler,
        report_run::handler,
        review::handler,
        setup_intent::handler,
        shipping_rate::handler,
        source::handler,
        subscription::handler,
        subscription_item::handler,
        subscription_schedule::handler,
        tax_id::handler,
        tax_rate::handler,
        test_clock::handler,
        thin_event::handler,
        token::handler,
        topup::handler,
        webhook_endpoint::handler,
    ];
    MODELLED.iter().find_map(|handler| handler(key))
}

/// The job of that name.
fn job(name: &str) -> Option<Job> {
    let own: Option<Job> = (name == offer::LAPSE_JOB).then_some(offer::on_due);
    payment::job(name)
        .or_else(|| balances::job(name))
        .or_else(|| billing::job(name))
        .or_else(|| checkout::job(name))
        .or_else(|| connect::job(name))
        .or_else(|| disputes::job(name))
        .or_else(|| event::job(name))
        .or_else(|| payouts::job(name))
        .or_else(|| report_run::job(name))
        .or_else(|| tax_id::job(name))
        .or_else(|| topup::job(name))
        .or(own)
}

/// What follows for the rooms above from what happened in a lower one.
fn follow(txn: &mut Txn<'_>, event: &str, object: &Object) {
    match event {
        confirm::PAID => billing::money::paid(txn, object),
        confirm::REFUSED => billing::money::refused(txn, object),
        setup::confirm::DONE => billing::trial::prepared(txn, object),
        _ => {}
    }
}

/// A field that an object shows only when it is expanded (`line_items` of a Checkout Session).
pub fn include(txn: &Txn<'_>, doc: &Value, field: &str) -> Option<Value> {
    match text(doc, "object") {
        checkout::SESSION => checkout_session::include(txn, doc, field),
        "charge" => charge::include(txn, doc, field),
        "coupon" => coupon::include(txn, doc, field),
        "customer" => customer::include(txn, doc, field),
        "invoice" => billing::told::include(txn, doc, field),
        "item" => checkout_session::item_more(txn, doc, field),
        "payment_link" => payment_link::include(txn, doc, field),
        "plan" | "price" => price::include(txn, doc, field),
        "quote" => billing::quote::include(txn, doc, field),
        _ => None,
    }
}

#[cfg(test)]
mod issuing_tests;

#[cfg(test)]
mod payments_tests;

#[cfg(test)]
mod recorded_tests;

#[cfg(test)]
mod lossless_tests;

#[cfg(test)]
mod selling_tests;

#[cfg(test)]
mod shop_tests;
