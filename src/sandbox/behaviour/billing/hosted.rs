//! Invoices as who owes them meets them: where each is shown, and paying one there.

use crate::sandbox::behaviour::billing::invoice::KIND;
use crate::sandbox::behaviour::billing::money::{self, Try};
use crate::sandbox::behaviour::billing::on_clock_of;
use crate::sandbox::behaviour::cards::CardEntry;
use crate::sandbox::behaviour::document::text;
use crate::sandbox::behaviour::payment::confirm::Outcome;
use crate::sandbox::behaviour::payment::method;
use crate::sandbox::engine::object::Object;
use crate::sandbox::engine::private::InvoicePart;
use crate::sandbox::engine::txn::{Txn, View};
use crate::wire::failure::Failure;
use std::sync::Arc;

/// Where an invoice can be seen, and its PDF. The address names the account that sends it.
pub fn links(txn: &Txn<'_>, id: &str) -> (String, String) {
    let base = &txn.site().base_url;
    let account = match &*txn.scope().account {
        "" => txn.platform_id(),
        own => own.to_owned(),
    };
    let token = format!("test_{}", id.strip_prefix("in_").unwrap_or(id));
    let page = format!("{base}/i/{account}/{token}?s=ap");
    (page, format!("{base}/invoice/{account}/{token}/pdf?s=ap"))
}

/// The invoice that an address names.
pub fn id_of(token: &str) -> Option<String> {
    token.strip_prefix("test_").map(|id| format!("in_{id}"))
}

/// The intent that asks for the payment of an invoice.
pub fn intent_of(view: &View, invoice: &Object) -> Option<Arc<Object>> {
    view.get("payment_intent", invoice.part::<InvoicePart>().intent.as_deref()?)
}

/// The invoice that an intent pays, as its address says it.
pub fn page_of(view: &View, invoice: &str) -> Option<String> {
    let found = view.get(KIND, invoice)?;
    Some(text(&found, "hosted_invoice_url").to_owned())
}

/// Pays an invoice with a card that its payer typed. Returns the intent where the payer has to authenticate.
///
/// Fails as Stripe does for a card that cannot be one, and with a 402 that keeps its changes where it is declined.
pub fn pay(txn: &mut Txn<'_>, id: &str, card: &CardEntry) -> Result<Option<String>, Failure> {
    let invoice = txn.find(KIND, id, "invoice")?;
    let customer = text(&invoice, "customer").to_owned();
    let intent = invoice.part::<InvoicePart>().intent.clone();
    on_clock_of(txn, &customer, |txn| {
        let chosen = method::create_card(txn, card)?;
        let how = Try { method: Some(&chosen), ..Try::default() };
        let asks = matches!(money::attempt(txn, id, &how)?, Outcome::RequiresAction { .. });
        Ok(intent.filter(|_| asks))
    })
}
