//! Every route of the merchant's application, read off its own table: asked as nobody, with another's proof, with too
//! much, with bytes that are no form, and by another method.

use crate::shopper::Shop;

const TABLE: &str = include_str!("../../src/merchant/web/route.rs");

/// A route: by which word the table makes it, its path, and whether a user has to be signed in.
struct Row {
    made: &'static str,
    path: String,
    needs_user: bool,
}

impl Row {
    fn is_sent(&self) -> bool {
        ["form", "send_json", "hook"].contains(&self.made)
    }
}

fn rows() -> Vec<Row> {
    let table = TABLE.split("const ROUTES: &[Route] = &[").nth(1).unwrap();
    let table = table.split("\n];").next().unwrap();
    let mut rows: Vec<Row> = Vec::new();
    for line in table.lines() {
        let words = ["get", "form", "read_json", "send_json", "program", "hook"];
        let made = words.into_iter().find(|word| line.starts_with(&format!("    {word}(")));
        if let Some(made) = made {
            let said = line.split(&format!("{made}(")).nth(1).unwrap();
            let said = said.split(',').next().unwrap().trim();
            let path = match said {
                "payment::LANDING" => "/payment/success",
                said => said.trim_matches('"'),
            };
            assert!(path.starts_with('/'), "{line}");
            rows.push(Row { made, path: path.to_owned(), needs_user: false });
        }
        if line.contains("Needs::User") {
            rows.last_mut().unwrap().needs_user = true;
        }
    }
    rows
}

/// The paths of pages that people read.
pub(crate) fn pages() -> Vec<String> {
    // Data and what leads elsewhere at once.
    let others = ["/config", "/language", "/readyz", "/stripe-form.js"];
    let pages = rows().into_iter().filter(|row| row.made == "get").map(|row| row.path);
    pages.filter(|path| !others.contains(&path.as_str())).collect()
}

#[test]
fn every_route_withstands_nobody_strangers_too_much_and_nonsense() {
    let rows = rows();
    assert!(rows.len() > 35, "{}", rows.len());
    let shop = Shop::open();
    let (mut ann, mut eve) = (shop.shopper("ann"), shop.shopper("eve"));
    let page = eve.get("/pricing").text();
    let eves = page.split("name=\"csrf\" value=\"").nth(1).unwrap();
    let eves = eves.split('"').next().unwrap().to_owned();
    let form = [("Content-Type", "application/x-www-form-urlencoded")];
    let json = [("Content-Type", "application/json")];
    for row in &rows {
        let Row { made, path, needs_user } = row;
        let mut nobody = shop.browser();
        // Nobody is signed in.
        let reply = if row.is_sent() { nobody.post(path, &[]) } else { nobody.get(path) };
        let status = reply.status;
        let told = format!("{made} {path}: {status} {}", reply.text());
        match *made {
            "get" if *needs_user => {
                let to = reply.header("location").unwrap_or_default();
                assert!(status == 303 && to.starts_with("/login"), "{told} {to}");
            }
            "get" => assert!(status == 200 || status == 303, "{told}"),
            "program" | "read_json" => assert_eq!(status, 401, "{told}"),
            _ => assert!([400, 401, 403, 415].contains(&status), "{told}"),
        }
        if row.is_sent() {
            let kind = if *made == "form" { &form } else { &json };
            // Somebody else's proof, bytes that are no form, and more than is read.
            let stolen = ann.post(path, &[("csrf", &eves)]);
            let nonsense = ann.send("POST", path, kind, b"\xff\xfe%zz&=&csrf");
            let much = ann.send("POST", path, kind, &vec![b'x'; 1_500_000]);
            for (what, reply) in [("stolen", stolen), ("nonsense", nonsense), ("much", much)] {
                let status = reply.status;
                assert!((400..500).contains(&status), "{what} {path}: {status} {}", reply.text());
            }
        }
        // Another method, and an address that is longer than any.
        assert_eq!(ann.send("DELETE", path, &[], b"").status, 405, "{path}");
        let long = format!("{path}?session_id={}", "x".repeat(6_000));
        if !row.is_sent() {
            let status = ann.get(&long).status;
            assert!(status < 500, "{path}: {status}");
        }
    }
    assert_eq!((shop.orders(), shop.credits()), (0, 0));
    assert_eq!(ann.get("/account").status, 200, "Ann is signed in still");
}
