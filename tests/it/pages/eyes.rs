//! How a page is looked at: in several widths and schemes, and by axe-core, which knows the Web Content Accessibility
//! Guidelines.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::LazyLock;

use fantoccini::wd::WebDriverCompatibleCommand;
use hyper::Method;
use serde_json::{Value, json};
use url::{ParseError, Url};

use crate::clients::installed;
use crate::support::Chromium;

/// Width in CSS pixels, zoom, scheme, and whether the colours are the reader's own. A window of 1280 at a zoom of 200 % is one
/// of 640, and at 400 % one of 320.
const LOOKS: [(u32, u32, &str, &str); 5] = [
    (1280, 1, "light", "none"),
    (1280, 1, "dark", "none"),
    (320, 1, "light", "none"),
    (320, 1, "dark", "none"),
    (640, 2, "dark", "active"),
];

/// Looks at the page in the window, in each of these ways, and returns what is wrong with it.
///
/// With `LINKGATE_SCREENSHOTS`, the name of a folder, in the environment, a picture of each look is left there.
pub(super) async fn look(browser: &Chromium, name: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    let window = &browser.window;
    window.execute(&AXE, vec![]).await.unwrap();
    for (width, zoom, scheme, forced) in LOOKS {
        let metrics = json!({"width": width, "height": 640, "deviceScaleFactor": zoom, "mobile": false});
        cdp(browser, "Emulation.setDeviceMetricsOverride", metrics).await;
        let features = [("prefers-color-scheme", scheme), ("forced-colors", forced)];
        emulate(browser, &features).await;
        let seen = window.execute_async(LOOK, vec![]).await.unwrap();
        let said = seen.as_array().expect("a list of what is wrong");
        let look = format!("{name}-{width}-{scheme}-{forced}");
        wrong.extend(said.iter().map(|one| format!("{look}: {one}")));
        if let Ok(folder) = std::env::var("LINKGATE_SCREENSHOTS") {
            let whole = json!({"captureBeyondViewport": true});
            let picture = cdp(browser, "Page.captureScreenshot", whole).await;
            keep(&folder, &format!("{look}.png"), &picture);
        }
    }
    wrong
}

/// Lets pages read the clipboard. To write to it, a click is enough.
pub(super) async fn allow_pasting(browser: &Chromium) {
    let permissions = json!({"permissions": ["clipboardReadWrite"]});
    cdp(browser, "Browser.grantPermissions", permissions).await;
}

/// Makes the browser prefer light or dark pages.
pub(super) async fn prefer(browser: &Chromium, scheme: &str) {
    emulate(browser, &[("prefers-color-scheme", scheme)]).await;
}

async fn emulate(browser: &Chromium, features: &[(&str, &str)]) {
    let features = features
        .iter()
        .map(|(name, value)| json!({"name": name, "value": value}));
    let media = json!({"features": features.collect::<Vec<_>>()});
    cdp(browser, "Emulation.setEmulatedMedia", media).await;
}

/// Whether a page with a picture without words, faint words and a box that is too wide is found wrong in all of it.
pub(super) async fn see(browser: &Chromium) -> bool {
    browser.window.goto(FAULTY).await.unwrap();
    let wrong = look(browser, "faulty").await.join("\n");
    [
        "image-alt",
        "color-contrast",
        "pixels wide in a window",
        "ends at",
    ]
    .iter()
    .all(|fault| wrong.contains(fault))
}

/// Makes the browser ask for a language.
pub(super) async fn speak(browser: &Chromium, language: &str) {
    cdp(browser, "Network.enable", json!({})).await;
    let headers = json!({"headers": {"Accept-Language": language}});
    cdp(browser, "Network.setExtraHTTPHeaders", headers).await;
}

/// Gives the browser these cookies, and takes all others away.
pub(super) async fn be(browser: &Chromium, base: &str, cookies: &BTreeMap<String, String>) {
    cdp(browser, "Network.clearBrowserCookies", json!({})).await;
    for (name, value) in cookies {
        let cookie = json!({"url": base, "name": name, "value": value});
        cdp(browser, "Network.setCookie", cookie).await;
    }
}

/// Sends a command of the Chrome `DevTools` protocol.
async fn cdp(browser: &Chromium, command: &str, parameters: Value) -> Value {
    let command = Cdp {
        command: command.to_owned(),
        parameters,
    };
    browser.window.issue_cmd(command).await.unwrap()
}

#[derive(Debug)]
struct Cdp {
    command: String,
    parameters: Value,
}

impl WebDriverCompatibleCommand for Cdp {
    fn endpoint(&self, base: &Url, session: Option<&str>) -> Result<Url, ParseError> {
        let session = session.expect("a session is open");
        base.join(&format!("session/{session}/goog/cdp/execute"))
    }

    fn method_and_body(&self, _: &Url) -> (Method, Option<String>) {
        let body = json!({"cmd": self.command, "params": self.parameters});
        (Method::POST, Some(body.to_string()))
    }
}

fn keep(folder: &str, name: &str, picture: &Value) {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;

    let bytes = STANDARD.decode(picture["data"].as_str().unwrap()).unwrap();
    std::fs::create_dir_all(folder).unwrap();
    std::fs::write(PathBuf::from(folder).join(name), bytes).unwrap();
}

/// The script that judges pages, as `tests/clients/prepare` installed it.
static AXE: LazyLock<String> = LazyLock::new(|| {
    let file = installed("node/node_modules/axe-core/axe.min.js");
    let text = std::fs::read_to_string(&file);
    text.unwrap_or_else(|error| panic!("{}: {error}: run tests/clients/prepare", file.display()))
});

const FAULTY: &str = "data:text/html,<html lang=en><title>Faulty</title><main><h1>Faulty</h1><img src=x>\
                      <p style='color: %23ccc; background: white'>faint</p><p style='width: 2000px'>wide</p></main>";

/// What axe-core objects to, and whatever is wider than the window. The styles are one of our own files, and no script
/// may fetch it again, so axe must not try.
const LOOK: &str = r"
const done = arguments[arguments.length - 1];
const wrong = [];
const page = document.documentElement;
if (page.scrollWidth > innerWidth) wrong.push(`${page.scrollWidth} pixels wide in a window of ${innerWidth}`);
for (const box of document.querySelectorAll('main, main *')) {
  const { right, width } = box.getBoundingClientRect();
  if (width > 1 && right > innerWidth + 1) wrong.push(`${box.outerHTML.slice(0, 120)} ends at ${right}`);
}
// Nothing but files of this site, no style or script of its own in a page, and no text that a template left unfilled.
for (const one of document.querySelectorAll('style, [style], script:not([src]), [onclick], [onload], [autofocus]')) {
  wrong.push(`${one.outerHTML.slice(0, 120)} is not for a page`);
}
for (const { src, href } of document.querySelectorAll('[src], link')) {
  const file = src ?? href;
  if (!file.startsWith(`${location.origin}/`)) wrong.push(`${file} is loaded from elsewhere`);
}
if (document.querySelectorAll('h1').length !== 1 || !/^[^·{}]+ · [^·{}]+$/.test(document.title)) {
  wrong.push(`the title or the heading: ${document.title}`);
}
if (/\{ ?\$/.test(page.textContent)) wrong.push('a value is not filled in');
axe.run({ preload: false, resultTypes: ['violations'] }).then(
  ({ violations }) => {
    for (const { id, help, nodes } of violations) {
      wrong.push(`${id}: ${help}: ${nodes.map(node => node.html.slice(0, 160)).join(' | ')}`);
    }
    done(wrong);
  },
  error => done([`axe failed: ${error}`]),
);
";
