//! Looks who answers at the port of an application, where one does not answer or something else does.

use crate::app::course::exchanges::send;
use crate::app::course::program::connects;
use crate::domain::course::launch::authority;
use crate::domain::course::outcome::Finding;
use crate::domain::course::reach::{Layer, Reach};
use crate::domain::fault::{Fault, FaultKind};
use crate::net::outbound::{self, Patience};
use std::time::Duration;

/// How long whoever answers may take to say who it is.
const PATIENCE: Duration = Duration::from_secs(2);

/// Who answers at the port of a URL.
pub async fn look(url: &str) -> Reach {
    let port = authority(url).rsplit(':').next().and_then(|port| port.parse().ok());
    let port = port.unwrap_or_default();
    let mut reach = Reach {
        port,
        v4: connects(&format!("127.0.0.1:{port}")).await,
        v6: connects(&format!("[::1]:{port}")).await,
        server: None,
    };
    if let Some(address) = reach.address() {
        reach.server = server(&address).await;
    }
    reach
}

/// What an answer's header `Server` says at an address.
async fn server(address: &str) -> Option<String> {
    let patience = Patience { connect: PATIENCE, total: PATIENCE };
    let http = outbound::client(outbound::Reach::Plain, patience).ok()?;
    let answer = send(http.get(format!("http://{address}/"))).await.ok()?;
    answer.headers.into_iter().find(|(name, _)| name == "server").map(|(_, value)| value)
}

/// Whether the application answers where it should, and is one.
pub async fn finding(url: &str) -> Finding {
    let reach = look(url).await;
    let holds = reach.layer() == Layer::Answers;
    let got = if holds { reach.expected() } else { reach.show() };
    Finding::new(holds, reach.expected(), got)
}

/// An application that does not answer, with who does at its port.
pub async fn down(url: &str) -> Fault {
    let reach = look(url).await;
    let address = reach.address();
    Fault::because(FaultKind::AppDown { url: url.to_owned(), elsewhere: address }, reach.show())
}
