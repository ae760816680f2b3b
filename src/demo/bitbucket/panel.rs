//! What went over the wire, laid out for a reader: the same bytes, with line breaks where they help.

use serde_json::Value;

use crate::demo::wire::Exchange;

impl Exchange {
    /// The request: one protocol parameter on each line, one pair of a form on each line.
    pub(super) fn request_text(&self) -> String {
        message(&self.sent_head(), &one_pair_a_line(self.sent_body()))
    }

    /// The base string: its three parts, and one parameter on each line.
    pub(super) fn base_string_text(&self) -> String {
        let base = self.base_string.as_deref().unwrap_or_default();
        base.replace('&', "\n&").replace("%26", "\n  %26")
    }

    /// The answer: JSON indented, one pair of a form on each line.
    pub(super) fn response_text(&self) -> String {
        let json = serde_json::from_str::<Value>(&self.body).ok();
        let json = json.and_then(|value| serde_json::to_string_pretty(&value).ok());
        let body = match json {
            Some(json) => json,
            None if self.body.starts_with("oauth_") => one_pair_a_line(&self.body),
            None => self.body.clone(),
        };
        message(&self.received_head, &body)
    }

    /// For whom the application answered, as it says itself.
    pub(super) fn answered_for(&self) -> String {
        let body = serde_json::from_str::<Value>(&self.body).unwrap_or_default();
        let who = |name: &str| body[name].as_str().or(body["startedBy"].as_str());
        match (who("user"), body["consumer"].as_str()) {
            (Some(user), _) => format!("Buildboard answered as for {user}."),
            (None, Some(consumer)) => format!("Buildboard saw no user, only the consumer {consumer}."),
            (None, None) => "Buildboard answered.".to_owned(),
        }
    }
}

fn message(head: &str, body: &str) -> String {
    let head = head
        .replace(": OAuth ", ": OAuth\n    ")
        .replace("\", oauth_", "\",\n    oauth_");
    match body {
        "" => head,
        body => format!("{head}\n\n{body}"),
    }
}

fn one_pair_a_line(form: &str) -> String {
    form.replace('&', "\n&")
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, StatusCode};

    use super::*;

    fn exchange(sent: &str, body: &str) -> Exchange {
        Exchange {
            sent: sent.to_owned(),
            base_string: Some("GET&http%3A%2F%2Fh%2F&a%3D1%26b%3D2".to_owned()),
            status: StatusCode::OK,
            headers: HeaderMap::new(),
            received_head: "HTTP/1.1 200 OK".to_owned(),
            body: body.to_owned(),
        }
    }

    #[test]
    fn lines_are_broken_and_nothing_else_is_changed() {
        let sent = "POST /x HTTP/1.1\r\nAuthorization: OAuth oauth_a=\"1\", oauth_b=\"2\"\r\n\r\na=1&b=2";
        let exchange = exchange(sent, "oauth_token=t&oauth_token_secret=s");
        assert_eq!(
            exchange.request_text(),
            "POST /x HTTP/1.1\nAuthorization: OAuth\n    oauth_a=\"1\",\n    oauth_b=\"2\"\n\na=1\n&b=2"
        );
        assert_eq!(
            exchange.base_string_text(),
            "GET\n&http%3A%2F%2Fh%2F\n&a%3D1\n  %26b%3D2"
        );
        assert_eq!(
            exchange.response_text(),
            "HTTP/1.1 200 OK\n\noauth_token=t\n&oauth_token_secret=s"
        );
    }

    #[test]
    fn it_says_for_whom_the_application_answered() {
        for (body, said) in [
            (
                r#"{"user":"alice","consumer":"c"}"#,
                "Buildboard answered as for alice.",
            ),
            (
                r#"{"user":null,"consumer":"c"}"#,
                "Buildboard saw no user, only the consumer c.",
            ),
            (
                r#"{"number":7,"startedBy":"bob"}"#,
                "Buildboard answered as for bob.",
            ),
            ("no JSON", "Buildboard answered."),
        ] {
            assert_eq!(exchange("", body).answered_for(), said);
        }
    }
}
