//! A headless Chromium driven over the `WebDriver` protocol: only what the browser stories need.

use crate::env::{Env, Running, outer_path};
use crate::http;
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_secs(20);
/// The name under which the protocol hands out elements.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// One browser window with a profile of its own; ends with the test.
pub(crate) struct Browser {
    driver: Running,
    port: u16,
    session: String,
    width: u16,
}

/// Keys that are no letters, as the protocol writes them.
pub(crate) const TAB: char = '\u{e004}';
pub(crate) const ENTER: char = '\u{e007}';

/// The narrowest phone that pages are made for, in pixels.
const PHONE: u16 = 360;

/// Starts chromedriver; the line that names its port. It takes a free port of one kind of address and ends where another
/// program has just taken the same number of the other kind: so it is started again.
fn driver(env: &Env) -> (Running, String) {
    for _ in 0..5 {
        let mut command = Command::new("chromedriver");
        command.arg("--port=0").env_clear().env("PATH", outer_path()).env("HOME", env.path());
        command.env("LANG", "C.UTF-8").current_dir(env.path());
        let mut driver = Running::new(command, env.path());
        if let Some(line) = driver.line_or_end("was started successfully on port") {
            return (driver, line);
        }
        let (_, said) = driver.finish();
        assert!(said.contains("port not available"), "{said}");
    }
    panic!("chromedriver finds no port")
}

impl Browser {
    /// Starts chromedriver and a window that asks for pages in `lang`.
    pub(crate) fn start(env: &Env, lang: &str) -> Self {
        let (driver, line) = driver(env);
        let port: String = line.chars().filter(char::is_ascii_digit).collect();
        let mut browser =
            Self { driver, port: port.parse().unwrap(), session: String::new(), width: 1_000 };
        let profile = env.path().join(format!("profile-{lang}"));
        let arguments = [
            "--headless=new".to_owned(),
            // A sandbox inside a container that already is one would need rights that tests lack.
            "--no-sandbox".to_owned(),
            "--disable-gpu".to_owned(),
            "--disable-dev-shm-usage".to_owned(),
            "--disable-quic".to_owned(),
            "--no-first-run".to_owned(),
            "--disable-background-networking".to_owned(),
            "--disable-component-update".to_owned(),
            "--disable-sync".to_owned(),
            "--window-size=1000,900".to_owned(),
            "--hide-scrollbars".to_owned(),
            format!("--accept-lang={lang}"),
            format!("--user-data-dir={}", profile.display()),
        ];
        let wish = json!({"capabilities": {"alwaysMatch": {
            "browserName": "chrome",
            "goog:loggingPrefs": {"browser": "ALL"},
            "goog:chromeOptions": {"args": arguments},
        }}});
        let made = browser.send("POST", "/session", &wish);
        made["sessionId"].as_str().unwrap().clone_into(&mut browser.session);
        browser
    }

    /// Opens an address and waits for the page.
    pub(crate) fn open(&mut self, url: &str) {
        self.call("POST", "/url", &json!({"url": url}));
    }

    /// The address of the page that is shown.
    pub(crate) fn url(&mut self) -> String {
        self.call("GET", "/url", &Value::Null).as_str().unwrap().to_owned()
    }

    /// The words that a person reads on the page.
    pub(crate) fn text(&mut self) -> String {
        let until = Instant::now() + PATIENCE;
        loop {
            let body = self.find("body");
            let path = format!("/session/{}/element/{body}/text", self.session);
            let reply = http::send(self.port, "GET", &path, &[], b"").unwrap();
            let said = reply.json()["value"].clone();
            // The next page may come between finding the body and reading it.
            match said.as_str() {
                Some(text) if reply.status == 200 => return text.to_owned(),
                _ => assert!(Instant::now() < until, "{said}\n{}", self.driver.stderr()),
            }
        }
    }

    /// Whether the page has such an element.
    pub(crate) fn has(&mut self, css: &str) -> bool {
        let wish = json!({"using": "css selector", "value": css});
        !self.call("POST", "/elements", &wish).as_array().unwrap().is_empty()
    }

    /// Types into a field as a keyboard does.
    pub(crate) fn fill(&mut self, css: &str, text: &str) {
        let field = self.find(css);
        self.call("POST", &format!("/element/{field}/clear"), &json!({}));
        self.call("POST", &format!("/element/{field}/value"), &json!({"text": text}));
    }

    /// Clicks where a person would.
    pub(crate) fn click(&mut self, css: &str) {
        let target = self.find(css);
        self.call("POST", &format!("/element/{target}/click"), &json!({}));
    }

    /// Goes on inside a frame of the page.
    pub(crate) fn enter(&mut self, css: &str) {
        let frame = self.find(css);
        self.call("POST", "/frame", &json!({"id": {ELEMENT: frame}}));
    }

    /// Goes on in the page itself.
    pub(crate) fn leave_frames(&mut self) {
        self.call("POST", "/frame", &json!({"id": null}));
    }

    /// Waits for a field.
    pub(crate) fn find_field(&mut self, css: &str) {
        self.find(css);
    }

    /// Runs a script in the page; what it returns.
    pub(crate) fn script(&mut self, script: &str) -> Value {
        self.call("POST", "/execute/sync", &json!({"script": script, "args": []}))
    }

    /// Has pages run no scripts of theirs; those of a story are run all the same.
    pub(crate) fn without_scripts(&mut self) {
        let off = json!({"cmd": "Emulation.setScriptExecutionDisabled", "params": {"value": true}});
        self.call("POST", "/goog/cdp/execute", &off);
    }

    /// Presses a key and lets it go, wherever the focus is.
    pub(crate) fn press(&mut self, key: char) {
        let key = key.to_string();
        let strokes = json!([{"type": "keyDown", "value": key}, {"type": "keyUp", "value": key}]);
        let wish = json!({"actions": [{"type": "key", "id": "keyboard", "actions": strokes}]});
        self.call("POST", "/actions", &wish);
    }

    /// What the console has said since it was last asked.
    pub(crate) fn console(&mut self) -> Vec<String> {
        let lines = self.call("POST", "/se/log", &json!({"type": "browser"}));
        let lines = lines.as_array().unwrap().iter();
        lines.map(|it| format!("{} {}", it["level"], it["message"])).collect()
    }

    /// Waits until the address contains `part`.
    pub(crate) fn arrive(&mut self, part: &str) -> String {
        let until = Instant::now() + PATIENCE;
        loop {
            let url = self.url();
            if url.contains(part) {
                return url;
            }
            let late = Instant::now() > until;
            assert!(!late, "never arrived at {part}; at {url}:\n{}", self.text());
            thread::sleep(Duration::from_millis(30));
        }
    }

    /// Waits until the page says `words`.
    pub(crate) fn reads(&mut self, words: &str) -> String {
        let until = Instant::now() + PATIENCE;
        loop {
            let text = self.text();
            if text.contains(words) {
                return text;
            }
            assert!(Instant::now() < until, "the page never said `{words}`:\n{text}");
            thread::sleep(Duration::from_millis(30));
        }
    }

    /// Keeps a picture of the whole page under `test-artefacts/`.
    pub(crate) fn keep_picture(&mut self, name: &str) -> PathBuf {
        let height = self.script("return document.documentElement.scrollHeight").as_u64().unwrap();
        self.lay_out(height.clamp(600, 3_000));
        let picture = self.call("GET", "/screenshot", &Value::Null);
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("test-artefacts");
        fs::create_dir_all(&folder).unwrap();
        let path = folder.join(format!("{name}.png"));
        fs::write(&path, base64(picture.as_str().unwrap())).unwrap();
        path
    }

    /// Has pages laid out for a small phone; a window of a desktop cannot be as narrow.
    pub(crate) fn narrow(&mut self) {
        self.width = PHONE;
        self.lay_out(900);
    }

    /// How many pixels the page is too wide for a small phone.
    pub(crate) fn too_wide_for_a_phone(&mut self) -> i64 {
        let before = self.width;
        self.narrow();
        let wide = self.script(
            "const root = document.documentElement; return [innerWidth, root.scrollWidth - root.clientWidth]",
        );
        assert_eq!(wide[0], PHONE);
        self.width = before;
        self.lay_out(900);
        wide[1].as_i64().unwrap()
    }

    fn lay_out(&mut self, height: u64) {
        let size = if self.width == PHONE {
            json!({"cmd": "Emulation.setDeviceMetricsOverride", "params": {
                "width": self.width, "height": height, "deviceScaleFactor": 1, "mobile": true,
            }})
        } else {
            json!({"cmd": "Emulation.clearDeviceMetricsOverride", "params": {}})
        };
        self.call("POST", "/goog/cdp/execute", &size);
        if self.width != PHONE {
            self.call(
                "POST",
                "/window/rect",
                &json!({"width": self.width, "height": height + 140}),
            );
        }
    }

    fn find(&mut self, css: &str) -> String {
        let until = Instant::now() + PATIENCE;
        loop {
            let wish = json!({"using": "css selector", "value": css});
            let found = self.call("POST", "/elements", &wish);
            if let Some(element) = found[0][ELEMENT].as_str() {
                return element.to_owned();
            }
            if Instant::now() > until {
                let page = self.call("GET", "/source", &Value::Null);
                panic!("no `{css}` on the page:\n{}", page.as_str().unwrap_or_default());
            }
            thread::sleep(Duration::from_millis(30));
        }
    }

    fn call(&mut self, method: &str, path: &str, body: &Value) -> Value {
        let path = format!("/session/{}{path}", self.session);
        self.send(method, &path, body)
    }

    fn send(&mut self, method: &str, path: &str, body: &Value) -> Value {
        let bytes = if method == "POST" { body.to_string().into_bytes() } else { Vec::new() };
        let headers = [("Content-Type", "application/json")];
        let reply = http::send(self.port, method, path, &headers, &bytes).unwrap();
        let said = reply.json();
        assert_eq!(reply.status, 200, "{method} {path} {body}: {said}\n{}", self.driver.stderr());
        said["value"].clone()
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // Without this, the browser would outlive its driver. A driver that is gone has none left.
        let path = format!("/session/{}", self.session);
        drop(http::send(self.port, "DELETE", &path, &[], b""));
    }
}

fn base64(text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    let (mut bits, mut count) = (0_u32, 0);
    for letter in text.bytes().filter(|it| *it != b'=') {
        let value = match letter {
            b'A'..=b'Z' => letter - b'A',
            b'a'..=b'z' => letter - b'a' + 26,
            b'0'..=b'9' => letter - b'0' + 52,
            b'+' => 62,
            _ => 63,
        };
        bits = bits << 6 | u32::from(value);
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push(u8::try_from(bits >> count & 0xFF).unwrap());
        }
    }
    bytes
}
