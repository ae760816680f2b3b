//! A headless Chromium behind a chromedriver, both of the test's own.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::json;
use tempfile::TempDir;

use super::address::reserved;
use super::program::Running;

/// A browser with one window. Dropping it ends the browser and its driver.
#[derive(Debug)]
pub(crate) struct Chromium {
    pub(crate) window: Client,
    session: String,
    driver: Driver,
    _profile: TempDir,
}

impl Chromium {
    /// Starts a browser with a fresh profile.
    pub(crate) async fn start(javascript: JavaScript) -> Self {
        let driver = Driver::start();
        let profile = tempfile::tempdir().unwrap();
        let data = format!("--user-data-dir={}", profile.path().display());
        let mut arguments: Vec<&str> = ARGUMENTS.to_vec();
        arguments.push(&data);
        let preferences = match javascript {
            JavaScript::On => json!({}),
            JavaScript::OnForLocalhostAlone => json!({
                "profile.default_content_setting_values.javascript": 2,
                "profile.content_settings.exceptions.javascript": {"http://localhost,*": {"setting": 1}},
            }),
        };
        let capabilities = json!({
            "browserName": "chrome",
            "goog:chromeOptions": {"args": arguments, "prefs": preferences},
        });
        let window = ClientBuilder::new(HttpConnector::new())
            .capabilities(capabilities.as_object().unwrap().clone())
            .connect(&format!("http://{}", driver.address))
            .await
            .expect("chromium starts");
        let session = window.session_id().await.unwrap().unwrap();
        Self {
            window,
            session,
            driver,
            _profile: profile,
        }
    }

    /// Waits for an element and clicks it.
    pub(crate) async fn click(&self, css: &str) {
        self.find(css).await.click().await.unwrap();
    }

    /// Waits for an element and types into it.
    pub(crate) async fn fill(&self, css: &str, text: &str) {
        self.find(css).await.send_keys(text).await.unwrap();
    }

    /// Types into what has the focus.
    pub(crate) async fn type_in(&self, keys: &str) {
        let focused = self.window.active_element().await.unwrap();
        focused.send_keys(keys).await.unwrap();
    }

    /// Waits until an element has a text.
    pub(crate) async fn read(&self, css: &str, text: &str) {
        let mut seen = String::new();
        for _ in 0..200 {
            // A page that is just being left takes its elements along.
            seen = self.find(css).await.text().await.unwrap_or_default();
            if seen == text {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("{css} says {seen:?}, not {text:?}");
    }

    /// Waits for a second window and goes to it.
    pub(crate) async fn go_to_popup(&self) {
        let opener = self.window.window().await.unwrap();
        for _ in 0..200 {
            let windows = self.window.windows().await.unwrap();
            if let Some(popup) = windows.into_iter().find(|window| *window != opener) {
                return self.window.switch_to_window(popup).await.unwrap();
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("no popup opens");
    }

    /// Waits until one window is left, and goes to it.
    pub(crate) async fn go_to_opener(&self) {
        for _ in 0..200 {
            let windows = self.window.windows().await.unwrap();
            if let [opener] = windows.as_slice() {
                return self.window.switch_to_window(opener.clone()).await.unwrap();
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!(
            "the popup stays open at {:?}: {:?}",
            self.window.current_url().await,
            self.window.source().await
        );
    }

    /// Waits for an element; what one of its attributes says in the page's source.
    pub(crate) async fn attribute(&self, css: &str, name: &str) -> String {
        self.find(css).await.attr(name).await.unwrap().unwrap()
    }

    /// Waits for an element.
    pub(crate) async fn find(&self, css: &str) -> fantoccini::elements::Element {
        let found = self
            .window
            .wait()
            .at_most(Duration::from_secs(10))
            .for_element(Locator::Css(css))
            .await;
        match found {
            Ok(element) => element,
            Err(error) => panic!(
                "{css} does not appear ({error}): {:?}",
                self.window.source().await
            ),
        }
    }
}

impl Drop for Chromium {
    /// A driver that is killed leaves its browser behind, so the browser goes first.
    fn drop(&mut self) {
        if let Ok(mut driver) = TcpStream::connect(self.driver.address) {
            let _ = driver.set_read_timeout(Some(Duration::from_secs(10)));
            let _ = write!(
                driver,
                "DELETE /session/{} HTTP/1.1\r\nHost: {}\r\n\r\n",
                self.session, self.driver.address
            );
            let _ = driver.read(&mut [0; 1024]);
        }
    }
}

/// Which pages may run scripts.
#[derive(Clone, Copy, Debug)]
pub(crate) enum JavaScript {
    On,
    OnForLocalhostAlone,
}

/// A running chromedriver.
#[derive(Debug)]
struct Driver {
    _process: Running,
    address: SocketAddr,
}

impl Driver {
    /// Starts it and waits until it listens. The port that it chooses itself it keeps to itself while its output is a
    /// pipe, so it is given one.
    fn start() -> Self {
        let address = reserved();
        let process = Command::new("chromedriver")
            .arg(format!("--port={}", address.port()))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("chromedriver is installed (Debian: apt-get install chromium chromium-driver)");
        let driver = Self {
            _process: Running(process),
            address,
        };
        for _ in 0..600 {
            if TcpStream::connect(address).is_ok() {
                return driver;
            }
            thread::sleep(Duration::from_millis(50));
        }
        panic!("chromedriver does not listen");
    }
}

const ARGUMENTS: [&str; 9] = [
    // Whatever a page asks for elsewhere: no test leaves this machine.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1",
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
];
