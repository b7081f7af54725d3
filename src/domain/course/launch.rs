//! What can be read from a command that starts a server, and from what it then says. Pure.

/// The port that a command names itself: `-p 5000`, `--port=5000`, `-b 127.0.0.1:8000`, `PORT=3000 node app.js`.
pub fn port_of(command: &str) -> Option<u16> {
    let mut words = command.split_whitespace().map(|word| word.trim_matches(['"', '\'']));
    while let Some(word) = words.next() {
        if let Some(value) = word.strip_prefix("PORT=") {
            return read(value);
        }
        let (flag, value) = match word.split_once('=') {
            Some((flag, value)) => (flag, Some(value)),
            None => (word, None),
        };
        if !["-p", "--port", "-b", "--bind", "--listen", "-l"].contains(&flag) {
            if let Some(port) = word.strip_prefix("-p").and_then(read) {
                return Some(port);
            }
            continue;
        }
        if let Some(port) = value.or_else(|| words.next()).and_then(read) {
            return Some(port);
        }
    }
    None
}

/// A port, alone or at the end of an address.
fn read(text: &str) -> Option<u16> {
    let digits = text.rsplit(':').next()?.trim_matches(['"', '\'']);
    digits.parse().ok().filter(|port| *port != 0)
}

/// Host and port of a URL.
pub fn authority(url: &str) -> String {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let after_host = authority.rsplit_once(']').map_or(authority, |(_, port)| port);
    if after_host.contains(':') { authority.to_owned() } else { format!("{authority}:80") }
}

/// The ports that a server says it listens on, in the order in which it says them.
pub fn announced(lines: &[String]) -> Vec<u16> {
    let mut ports = Vec::new();
    for line in lines {
        let lower = line.to_ascii_lowercase();
        for mark in ["127.0.0.1:", "localhost:", "0.0.0.0:", "[::]:", "[::1]:", "port ", "port: "] {
            for (at, _) in lower.match_indices(mark) {
                let rest = lower.get(at + mark.len()..).unwrap_or_default();
                let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
                if let Ok(port) = digits.parse::<u16>()
                    && port != 0
                    && !ports.contains(&port)
                {
                    ports.push(port);
                }
            }
        }
    }
    ports
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_command_may_fix_its_port() {
        for (command, port) in [
            ("flask run -p 5000", Some(5000)),
            ("flask run --port=5001 --debug", Some(5001)),
            ("rails s -p5002", Some(5002)),
            ("gunicorn -b 127.0.0.1:8000 app:app", Some(8000)),
            ("gunicorn --bind '[::1]:8001' app:app", Some(8001)),
            ("PORT=3000 node app.js", Some(3000)),
            ("sh -c 'PORT=3001 node app.js'", Some(3001)),
            ("flask run -p $PORT", None),
            ("node app.js", None),
            ("python -m pip --python 3 app.py -p", None),
            ("mkdir -p data && node app.js", None),
            ("uvicorn app:app --port 0", None),
        ] {
            assert_eq!(port_of(command), port, "{command}");
        }
    }

    #[test]
    fn a_server_says_where_it_listens() {
        let lines = [
            " * Running on http://127.0.0.1:5000",
            "Listening on port 3000.",
            "http://localhost:5000/ and [::]:8000",
            "no port 0, 127.0.0.1:99999",
        ];
        let lines = lines.map(str::to_owned);
        assert_eq!(announced(&lines), [5000, 3000, 8000]);
    }

    #[test]
    fn an_address_has_host_and_port() {
        assert_eq!(authority("http://127.0.0.1:5000/x"), "127.0.0.1:5000");
        assert_eq!(authority("http://[::1]:5000"), "[::1]:5000");
        assert_eq!(authority("http://[::1]"), "[::1]:80");
        assert_eq!(authority("http://localhost"), "localhost:80");
    }

    proptest! {
        #[test]
        fn any_text_can_be_looked_at(text in ".{0,80}") {
            prop_assert!(port_of(&text) != Some(0) && !announced(std::slice::from_ref(&text)).contains(&0));
        }

        #[test]
        fn a_named_port_is_found(port in 1_u16.., before in "[a-z ]{0,20}") {
            prop_assert_eq!(port_of(&format!("{before} --port {port}")), Some(port));
        }
    }
}
