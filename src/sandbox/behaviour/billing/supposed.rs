//! Who a preview is for: a customer, as a call supposes it to be, or somebody who is none.
//!
//! Believed: that what is said of a customer takes the place of what is known, member by member, and that an invoice
//! for nobody shows no customer.

use crate::sandbox::behaviour::document::{new, text};
use crate::sandbox::behaviour::tax_id;
use crate::sandbox::call::Call;
use crate::sandbox::engine::private::CustomerPart;
use crate::sandbox::engine::txn::Txn;
use crate::wire::failure::Failure;
use serde_json::{Value, json};

const KIND: &str = "customer";

/// The customer's id, after `customer_details` were written into it.
///
/// Fails for tax ids that cannot be ones.
pub fn customer(txn: &mut Txn<'_>, call: &Call, known: Option<&str>) -> Result<String, Failure> {
    let id = known.map_or_else(|| guest(txn), str::to_owned);
    let Some(details) = call.hash("customer_details") else { return Ok(id) };
    txn.edit(KIND, &id, |doc| {
        for name in ["address", "shipping"] {
            if let Some(value) = details.get(name) {
                doc.insert(name.to_owned(), value.clone());
            }
        }
        if let Some(value) = details.get("tax_exempt") {
            let status = if value.is_null() { json!("none") } else { value.clone() };
            doc.insert("tax_exempt".to_owned(), status);
        }
    });
    if let Some(address) = details.get("tax").and_then(|it| it.get("ip_address")) {
        let address = address.as_str().map(str::to_owned);
        txn.edit_part(KIND, &id, |part: &mut CustomerPart| part.tax_ip_address = address);
    }
    let ids = details.get("tax_ids").and_then(Value::as_array);
    for (at, sent) in ids.into_iter().flatten().enumerate() {
        let owner = json!({"type": "customer", "customer": id});
        let param = format!("customer_details[tax_ids][{at}][value]");
        tax_id::create(txn, text(sent, "type"), text(sent, "value"), &owner, &param)?;
    }
    Ok(id)
}

/// Somebody of whom nothing is known.
fn guest(txn: &mut Txn<'_>) -> String {
    let id = txn.new_id("cus_", 14);
    txn.put(new(
        KIND,
        json!({
            "id": id, "balance": 0, "created": txn.now().0, "delinquent": false,
            "invoice_settings": {}, "livemode": false, "next_invoice_sequence": 1,
            "preferred_locales": [], "tax_exempt": "none",
        }),
    ));
    id
}

#[cfg(test)]
mod tests {
    use crate::sandbox::behaviour::billing::tests::Shop;
    use serde_json::{Value, json};

    const PREVIEW: &str = "POST /v1/invoices/create_preview";

    #[test]
    fn somebody_who_is_no_customer_sees_what_a_plan_would_cost() {
        let mut shop = Shop::without_card();
        let before = shop.lab.view().count("customer");
        let details = json!({
            "address": {"line1": "1 Main St", "country": "US", "postal_code": "94105"},
            "tax_exempt": "exempt", "tax_ids": [{"type": "eu_vat", "value": "DE123456789"}],
            "shipping": {"name": "Ada", "address": {"country": "US"}},
        });
        let asked = json!({"customer_details": details,
            "subscription_details": {"items": [{"price": shop.price, "quantity": 2}]}});
        let invoice = shop.lab.ok(PREVIEW, asked);
        assert_eq!((&invoice["total"], &invoice["customer"]), (&json!(4_000), &Value::Null));
        assert_eq!(invoice["customer_address"]["postal_code"], "94105");
        assert_eq!(invoice["customer_tax_exempt"], "exempt");
        assert_eq!(
            invoice["customer_tax_ids"],
            json!([{"type": "eu_vat", "value": "DE123456789"}])
        );
        assert_eq!(invoice["customer_shipping"]["name"], "Ada");
        assert_eq!(shop.lab.view().count("customer"), before, "nobody is kept");
        let failure = shop.lab.call(PREVIEW, json!({"customer_details": {}})).unwrap_err();
        assert_eq!(failure.status, 404, "nothing would be billed");
    }

    #[test]
    fn a_customer_is_supposed_to_be_otherwise_and_stays_as_it_is() {
        let mut shop = Shop::new("pm_card_visa");
        let rate = json!({"display_name": "VAT", "percentage": 10, "inclusive": false});
        let rate = shop.lab.ok("POST /v1/tax_rates", rate);
        shop.subscribe(json!({"default_tax_rates": [rate["id"]]}));
        let ask = |shop: &mut Shop, details: Value| {
            let asked = json!({"customer": shop.customer, "customer_details": details});
            shop.lab.ok(PREVIEW, asked)["total"].clone()
        };
        assert_eq!(ask(&mut shop, json!({"tax_exempt": "none"})), 2_200);
        assert_eq!(ask(&mut shop, json!({"tax_exempt": "exempt"})), 2_000);
        assert_eq!(shop.lab.get("customer", &shop.customer.clone())["tax_exempt"], "none");
    }
}
