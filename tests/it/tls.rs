//! `stripegym listen` over TLS: with a certificate made here, for a client that trusts nothing else.

use crate::env::{Env, eventually};
use crate::http::Api;
use crate::shop::{SECRET, completed, ledger, signature};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::Arc;

/// A world with a certificate for this machine, and a client's settings that trust it.
fn certified() -> (Env, Arc<ClientConfig>) {
    let env = Env::new().with("STRIPE_WEBHOOK_SECRET", SECRET);
    let names = ["localhost".to_owned(), "127.0.0.1".to_owned()];
    let made = rcgen::generate_simple_self_signed(names).unwrap();
    fs::write(env.path().join("cert.pem"), made.cert.pem()).unwrap();
    fs::write(env.path().join("key.pem"), made.signing_key.serialize_pem()).unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(made.cert.der().clone()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let client = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    (env, Arc::new(client))
}

/// Sends a request over a connection of its own; the whole answer.
fn asked(client: &Arc<ClientConfig>, port: u16, request: &[u8]) -> String {
    let name = ServerName::try_from("localhost").unwrap();
    let session = ClientConnection::new(Arc::clone(client), name).unwrap();
    let tcp = TcpStream::connect(("127.0.0.1", port)).unwrap();
    let mut stream = StreamOwned::new(session, tcp);
    stream.write_all(request).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    String::from_utf8(answer).unwrap()
}

const FLAGS: [&str; 8] =
    ["listen", "--port", "0", "--json", "--tls-cert", "cert.pem", "--tls-key", "key.pem"];

#[test]
fn what_comes_over_tls_is_recorded_and_plain_http_is_not_answered_there() {
    let (env, client) = certified();
    let sandbox = env.sandbox(&[]);
    let mut listener = env.start(&FLAGS);
    let line = listener.line_with("\"listening\"");
    let port = line.split("https://127.0.0.1:").nth(1).unwrap();
    let port: u16 = port.split(|c: char| !c.is_ascii_digit()).next().unwrap().parse().unwrap();
    let body = completed("evt_tls", "cs_tls", 500);
    let signed = signature(SECRET, 0, &body);
    let mut request = format!(
        "POST /webhook HTTP/1.1\r\nHost: localhost:{port}\r\nStripe-Signature: {signed}\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    )
    .into_bytes();
    request.extend(&body);
    let answer = asked(&client, port, &request);
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    let get =
        format!("GET /readyz HTTP/1.1\r\nHost: localhost:{port}\r\nConnection: close\r\n\r\n");
    assert!(asked(&client, port, get.as_bytes()).starts_with("HTTP/1.1 200"));
    // Without TLS there is no answer at that port.
    let mut plain = TcpStream::connect(("127.0.0.1", port)).unwrap();
    plain.write_all(get.as_bytes()).unwrap();
    let mut said = Vec::new();
    drop(plain.read_to_end(&mut said));
    assert!(!said.starts_with(b"HTTP"), "{}", String::from_utf8_lossy(&said));
    // The sandbox, which trusts no certificate, delivers all the same.
    Api::new(sandbox.api.port, crate::env::KEY).make("/v1/customers", &[("name", "a")]);
    let kept = || -> i64 {
        let sql = "SELECT count(*) FROM events WHERE id = 'evt_tls' OR type = 'customer.created'";
        ledger(&env).query_row(sql, [], |row| row.get(0)).unwrap()
    };
    eventually("both events are kept", || (kept() == 2).then_some(()));
    assert_eq!(listener.interrupt(), 130);
}

#[test]
fn a_file_that_cannot_be_used_is_named_with_what_makes_one() {
    let (env, _) = certified();
    fs::write(env.path().join("cert.pem"), "no certificate").unwrap();
    let _sandbox = env.sandbox(&[]);
    let ran = env.run(&FLAGS[..3].iter().chain(&FLAGS[4..]).copied().collect::<Vec<_>>());
    assert_eq!(ran.code, 2, "{}", ran.err);
    for part in ["--tls-cert", "cert.pem", "openssl req -x509"] {
        assert!(ran.err.contains(part), "{part}: {}", ran.err);
    }
    let ran = env.run(&["listen", "--tls-cert", "cert.pem"]);
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("--tls-key"), "{}", ran.err);
}
