//! Pages with a name, a logo and a colour of their own: as legible as ours, and nothing moves when the logo is there.

use serde_json::{Value, json};

use crate::support::{CALLBACK, Chromium, JavaScript, Peer, Setup, question};

use super::states::State;
use super::{eyes, read, show};

/// Wider than a small window, with a script that must not run, and hard to read in either scheme when it is not shaded.
const LOGO: &[u8] = br##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 240 40">
<script>document.documentElement.remove(); top.document.title = "run"</script>
<rect width="40" height="40" rx="8" fill="#ffcc00"/><circle cx="20" cy="20" r="9" fill="#1a2027"/>
<rect x="52" y="14" width="188" height="12" rx="6" fill="#808890"/></svg>"##;

#[tokio::test(flavor = "multi_thread")]
async fn a_branded_page_is_as_fit_as_ours() {
    let linkgate = Setup::new()
        .more("[branding]\nname = \"Acme Builds\"\nlogo_file = \"logo.svg\"\naccent = \"#ffcc00\"\n")
        .files(&[("logo.svg", LOGO)])
        .start()
        .await;
    let alice = linkgate.signed_in("alice").await;
    let token = Peer::hmac().request_token(&linkgate, CALLBACK).await;
    let states = [
        State::get("branded-approve", question(&token)).by(&alice),
        State::get("branded-login", question(&token)),
        State::get("branded-connections", "/oauth/connections").by(&alice),
        State::get("branded-admin", "/oauth/admin").by(&alice),
        State::get("branded-notice", "/oauth/authorize").by(&alice),
    ];
    let browser = Chromium::start(JavaScript::On).await;
    let mut wrong = Vec::new();
    for (state, language) in states.iter().zip(["en", "ja", "de"].iter().cycle()) {
        eyes::speak(&browser, language).await;
        show(&browser, linkgate.address, state).await;
        let said = browser.window.execute_async(LOGO_IS_SEEN, vec![]).await.unwrap();
        assert_eq!(
            said,
            json!({"alt": "Acme Builds", "shown": true, "moved": [0, 0], "shifts": []}),
            "{}",
            state.name
        );
        let control = browser
            .window
            .execute_async(SOMETHING_MOVES, vec![])
            .await
            .unwrap();
        assert!(
            control.as_f64().unwrap() > 0.0,
            "what moves is noticed: {control}"
        );
        show(&browser, linkgate.address, state).await;
        wrong.extend(eyes::look(&browser, &format!("{}-{language}", state.name)).await);
        assert_ne!(browser.window.title().await.unwrap(), "run");
        assert_ne!(read(&browser).await[0], "");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(
        colours(&browser).await,
        json!(["rgb(255, 204, 0)", "rgb(134, 107, 0)"]),
        "dark, light"
    );
}

/// The colour of the last page's links, in dark and in light.
async fn colours(browser: &Chromium) -> Value {
    let mut seen = Vec::new();
    for scheme in ["dark", "light"] {
        eyes::prefer(browser, scheme).await;
        let read = "const link = Object.assign(document.createElement('a'), { href: '#', textContent: 'x' });
            document.querySelector('main').append(link);
            return getComputedStyle(link).color;";
        seen.push(browser.window.execute(read, vec![]).await.unwrap());
    }
    seen.into()
}

/// The logo; how far everything moves while another request for it is on its way, and when it has arrived; and how much
/// the browser itself says has moved since the page was opened, and what.
const LOGO_IS_SEEN: &str = r"
const done = arguments[arguments.length - 1];
const logo = document.querySelector('.logo img');
const heading = document.querySelector('h1');
const start = heading.getBoundingClientRect().top;
const again = logo.cloneNode();
again.src = logo.src + '?' + performance.now();
logo.replaceWith(again);
const waiting = heading.getBoundingClientRect().top - start;
const early = again.complete;
const shifts = [];
const where = rect => `${rect.x},${rect.y} ${rect.width}x${rect.height}`;
const what = source => `${source.node?.nodeName} from ${where(source.previousRect)} to ${where(source.currentRect)}`;
new PerformanceObserver(list => list.getEntries().forEach(one => shifts.push(
  `${one.value} after ${one.startTime} ms: ${one.sources.map(what).join(', ')}`
))).observe({ type: 'layout-shift', buffered: true });
const judge = () => {
  const arrived = heading.getBoundingClientRect().top - start;
  setTimeout(() => done({
    alt: again.alt, shown: again.naturalWidth > 0, moved: early ? ['early'] : [waiting, arrived], shifts,
  }), 50);
};
again.addEventListener('load', judge);
again.addEventListener('error', () => done('the logo cannot be shown'));
";

/// Whether the browser says so when something does move.
const SOMETHING_MOVES: &str = r"
const done = arguments[arguments.length - 1];
let shift = 0;
new PerformanceObserver(list => list.getEntries().forEach(one => { shift += one.value; })).observe({ type: 'layout-shift' });
requestAnimationFrame(() => requestAnimationFrame(() => {
  document.querySelector('main').prepend(Object.assign(document.createElement('p'), { textContent: 'late' }));
  setTimeout(() => done(shift), 200);
}));
";
