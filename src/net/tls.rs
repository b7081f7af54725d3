//! What a server of ours proves itself with: a certificate and its key, from files.

use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio_rustls::TlsAcceptor;

/// The files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Files {
    /// The certificate, and those that lead to it, in PEM.
    pub certificate: PathBuf,
    /// Its private key, in PEM.
    pub key: PathBuf,
}

/// Which of the files cannot be used, and why.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The certificate.
    #[error("{}: {reason}", path.display())]
    Certificate {
        /// The file.
        path: PathBuf,
        /// What is the matter with it.
        reason: String,
    },
    /// The key, or it is another certificate's.
    #[error("{}: {reason}", path.display())]
    Key {
        /// The file.
        path: PathBuf,
        /// What is the matter with it.
        reason: String,
    },
}

/// A certificate with its key, ready for connections.
#[derive(Clone, Debug)]
pub struct Identity(Arc<ServerConfig>);

impl Identity {
    /// Reads the files.
    pub fn read(files: &Files) -> Result<Self, TlsError> {
        let bad =
            |reason: String| TlsError::Certificate { path: files.certificate.clone(), reason };
        let chain = chain(&files.certificate).map_err(bad)?;
        let bad = |reason: String| TlsError::Key { path: files.key.clone(), reason };
        let key =
            PrivateKeyDer::from_pem_file(&files.key).map_err(|error| bad(error.to_string()))?;
        let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, key))
            .map_err(|error| bad(error.to_string()))?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self(Arc::new(config)))
    }

    pub(super) fn acceptor(&self) -> TlsAcceptor {
        TlsAcceptor::from(Arc::clone(&self.0))
    }
}

fn chain(path: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let certificates = CertificateDer::pem_file_iter(path).map_err(|error| error.to_string())?;
    let chain = certificates.collect::<Result<Vec<_>, _>>().map_err(|error| error.to_string())?;
    if chain.is_empty() { Err("no certificate in PEM".to_owned()) } else { Ok(chain) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn files_that_cannot_be_used_are_told_apart() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        for name in ["one", "two"] {
            let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
            fs::write(path(&format!("{name}.pem")), made.cert.pem()).unwrap();
            fs::write(path(&format!("{name}.key")), made.signing_key.serialize_pem()).unwrap();
        }
        fs::write(path("empty"), "").unwrap();
        let read = |certificate: &str, key: &str| {
            let found = Identity::read(&Files { certificate: path(certificate), key: path(key) });
            match found {
                Ok(_) => "well",
                Err(TlsError::Certificate { .. }) => "certificate",
                Err(TlsError::Key { .. }) => "key",
            }
        };
        assert_eq!(read("one.pem", "one.key"), "well");
        for (certificate, key, wrong) in [
            ("none", "one.key", "certificate"),
            ("empty", "one.key", "certificate"),
            ("one.key", "one.key", "certificate"),
            ("one.pem", "none", "key"),
            ("one.pem", "one.pem", "key"),
            ("one.pem", "two.key", "key"),
        ] {
            assert_eq!(read(certificate, key), wrong, "{certificate} {key}");
        }
    }
}
