//! `stripegym listen` over TLS: with a certificate made here, for a client that trusts nothing else.

use crate::env::{Env, eventually};
use crate::http::Api;
use crate::shop::{SECRET, completed, deliver, ledger, listen_with, signature};
use rustls::pki_types::{PrivatePkcs8KeyDer, ServerName};
use rustls::{
    ClientConfig, ClientConnection, RootCertStore, ServerConfig, ServerConnection, StreamOwned,
};
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;

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

/// A server with a certificate that nobody trusts; its port.
fn self_signed() -> u16 {
    let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let key = PrivatePkcs8KeyDer::from(made.signing_key.serialize_der());
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key.into())
        .unwrap();
    let config = Arc::new(config);
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for tcp in listener.incoming().filter_map(Result::ok) {
            let session = ServerConnection::new(Arc::clone(&config)).unwrap();
            let mut stream = StreamOwned::new(session, tcp);
            // Whoever does not trust it hangs up before a request is sent.
            let mut asked = [0; 16];
            let read = stream.read(&mut asked).unwrap_or(0);
            assert_eq!(read, 0, "{asked:?}");
        }
    });
    port
}

#[test]
fn what_is_handed_on_to_a_certificate_that_is_not_trusted_is_kept_and_told_so() {
    let env = Env::new().with("STRIPE_WEBHOOK_SECRET", SECRET);
    let _sandbox = env.sandbox(&[]);
    let to = format!("https://127.0.0.1:{}/hook", self_signed());
    let (mut listener, port) = listen_with(&env, &["--forward-to", &to]);
    let answered = deliver(port, &completed("evt_far", "cs_test_far", 500)).unwrap();
    assert_eq!(answered.status, 200, "what is handed on is kept first");
    let told = listener.line_with("evt_far");
    assert!(told.contains("\"forwarded\":\"certificate_not_trusted\""), "{told}");
    let kept: i64 = ledger(&env)
        .query_row("SELECT count(*) FROM events WHERE id = 'evt_far'", [], |row| row.get(0))
        .unwrap();
    assert_eq!(kept, 1);
    // A person is told in words.
    let env = Env::new().with("STRIPE_WEBHOOK_SECRET", SECRET);
    let sandbox = env.sandbox(&[]);
    let mut listener = env.start(&["listen", "--port", "0", "--lang", "en", "--forward-to", &to]);
    listener.line_with("Listening at");
    Api::new(sandbox.api.port, crate::env::KEY).make("/v1/customers", &[("name", "a")]);
    listener.line_with("its certificate is not trusted here");
}
