//! Where on this machine somebody answers at a port: which of the layers between a request and a server is wrong.

/// The address that the course asks at first.
const V4: &str = "127.0.0.1";
/// The same machine by IPv6.
const V6: &str = "[::1]";
/// How `AirPlay` names itself, which takes port 5000 on `macOS`.
const AIRPLAY: &str = "AirTunes";

/// Who answers at a port.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reach {
    /// The port.
    pub port: u16,
    /// Whether somebody takes connections at 127.0.0.1.
    pub v4: bool,
    /// Whether somebody takes connections at `::1`.
    pub v6: bool,
    /// What the answer's header `Server` says.
    pub server: Option<String>,
}

/// What that means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layer {
    /// 127.0.0.1 answers.
    Answers,
    /// Only `::1` answers: the server listens on IPv6 alone.
    OnlyV6,
    /// Nobody answers: no server, another port, or a container that does not publish it.
    Nothing,
    /// `AirPlay` answers in the place of a server.
    AirPlay,
}

impl Reach {
    /// What it means.
    pub fn layer(&self) -> Layer {
        match (self.v4, self.v6) {
            _ if self.is_airplay() => Layer::AirPlay,
            (true, _) => Layer::Answers,
            (false, true) => Layer::OnlyV6,
            (false, false) => Layer::Nothing,
        }
    }

    /// Where somebody answers.
    pub fn address(&self) -> Option<String> {
        let host = if self.v4 { Some(V4) } else { self.v6.then_some(V6) };
        host.map(|host| format!("{host}:{}", self.port))
    }

    /// Where a server is expected, `127.0.0.1:5000`.
    pub fn expected(&self) -> String {
        format!("{V4}:{}", self.port)
    }

    /// What was found, as facts without words.
    pub fn show(&self) -> String {
        let port = self.port;
        let sign = |there: bool| if there { "✓" } else { "–" };
        let mut text = format!("{V4}:{port} {} · {V6}:{port} {}", sign(self.v4), sign(self.v6));
        if let Some(server) = self.server.as_ref().filter(|_| self.is_airplay()) {
            text.extend([" · Server: ", server, " (AirPlay)"]);
        }
        text
    }

    fn is_airplay(&self) -> bool {
        self.server.as_ref().is_some_and(|server| server.starts_with(AIRPLAY))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reach(v4: bool, v6: bool, server: Option<&str>) -> Reach {
        Reach { port: 5000, v4, v6, server: server.map(str::to_owned) }
    }

    #[test]
    fn each_layer_is_told_from_the_others() {
        let flask = Some("Werkzeug/3.1");
        assert_eq!(reach(true, false, flask).layer(), Layer::Answers);
        assert_eq!(reach(true, true, None).layer(), Layer::Answers);
        assert_eq!(reach(false, true, flask).layer(), Layer::OnlyV6);
        assert_eq!(reach(false, false, None).layer(), Layer::Nothing);
        assert_eq!(reach(true, true, Some("AirTunes/670.6.2")).layer(), Layer::AirPlay);
    }

    #[test]
    fn what_was_found_names_the_addresses_and_airplay() {
        assert_eq!(reach(false, true, None).address().as_deref(), Some("[::1]:5000"));
        assert_eq!(reach(false, false, None).address(), None);
        assert_eq!(reach(false, true, None).show(), "127.0.0.1:5000 – · [::1]:5000 ✓");
        assert!(reach(true, true, Some("AirTunes/1")).show().ends_with("AirTunes/1 (AirPlay)"));
    }
}
