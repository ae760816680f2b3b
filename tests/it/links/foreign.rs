//! linkgate as the consumer of a foreign provider: oauthlib's, `tests/clients/python/provider.py`.

use std::io::{BufRead as _, BufReader};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::clients::{clients, installed};
use crate::support::{Database, Linked, Planned, Request, Running, location, on_both, path};

/// A running provider.
struct Provider {
    _child: Running,
    address: SocketAddr,
}

impl Provider {
    fn start(settings: &Path) -> Self {
        let mut child = Command::new(installed("python/bin/python"))
            .arg(clients().join("python/provider.py"))
            .arg(settings)
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("python: {error}; run tests/clients/prepare"));
        let mut line = String::new();
        let said = BufReader::new(child.stdout.take().unwrap()).read_line(&mut line);
        assert!(
            said.unwrap() > 0,
            "the provider says where it listens; run tests/clients/prepare"
        );
        let said: Value = serde_json::from_str(&line).unwrap();
        let port = u16::try_from(said["port"].as_u64().unwrap()).unwrap();
        Self {
            _child: Running(child),
            address: (Ipv4Addr::LOCALHOST, port).into(),
        }
    }
}

on_both! {
    async fn a_provider_of_another_library_takes_our_calls(db: Database) {
        let planned = Planned::new("left");
        let settings = json!({
            "consumer_key": "linkgate-left",
            "public_key": planned.public_key(),
            "callback": format!("{}/oauth/links/other/callback", planned.base),
        });
        let settings = planned.file("provider.json", &settings.to_string());
        let provider = Provider::start(&settings);
        let base = format!("http://{}", provider.address);
        let link = format!("[[links]]\nname = \"other\"\nurl = \"{base}\"\nitself = true\n");
        let left = planned.start(&db, "listen = \"127.0.0.1:0\"", &link).await;

        let mut browser = left.browser();
        browser.sign_in("alice").await;
        let there = browser.get("/oauth/links/other/connect").await;
        assert_eq!(there.status, 303, "{there:?}");
        let back = Request::get(path(location(&there), &base)).send(provider.address).await;
        let done = browser.get(&path(location(&back), &left.base)).await;
        assert_eq!((done.status, location(&done)), (303, "/oauth/connections"), "{done:?}");

        for (target, user, form) in [
            ("/rest/x", Some("alice"), None),
            ("/rest/x", None, None),
            ("/rest/a%2Fb;v=1/?q=a+b&q=%C3%A9&flag=&x=%7e", Some("alice"), None),
            ("/rest/x?a=1", Some("alice"), Some("b=2&a=%26+x")),
            ("/rest/x?a=1", None, Some("b=2&a=%26+x")),
        ] {
            let mut request = Linked::asks(&format!("/other{target}"), user);
            if let Some(form) = form {
                request = request.posted().form(form);
            }
            let answer = request.send(left.calls).await;
            assert_eq!(answer.status, 200, "{target} {user:?} {form:?}: {answer:?}");
            let said: Value = serde_json::from_str(&answer.body).unwrap();
            assert_eq!((&said["target"], &said["two_legged"]), (&json!(target), &json!(user.is_none())));
            assert_eq!(said["body"], json!(form.unwrap_or_default()));
        }
        let streamed = Linked::asks("/other/rest/x", Some("alice")).header("Content-Type", "application/json");
        let streamed = streamed.posted().body("{\"a\": 1}");
        let said: Value = serde_json::from_str(&streamed.send(left.calls).await.body).unwrap();
        assert_eq!(said["body"], "{\"a\": 1}");

        Request::post("/control/revoke").send(provider.address).await;
        let refused = left.ask("/other/rest/x", Some("alice")).await;
        refused.assert(401, "x-linkgate-error", Some("not_connected"));
        assert_eq!(left.ask("/other/rest/x", None).await.status, 200, "two-legged calls have no token to lose");
    }
}
