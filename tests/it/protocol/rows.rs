//! What is accepted and what is rejected: the rows of
//! `vectors/{rejected,callbacks,parameters,negative_requests,pasted_keys}.toml`.

use linkgate::oauth::parameters::collect_parameters;
use linkgate::oauth::{
    AllowedCallback, Callback, Origin, Problem, PublicKey, PublicUrl, RequestView, SignedRequest,
    authorization_header,
};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::parameters::joined;

fn rows<T: DeserializeOwned>(text: &str) -> T {
    toml::from_str(text).unwrap()
}

#[test]
fn malformed_texts_are_rejected() {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Rejected {
        origin: Vec<String>,
        public_url: Vec<String>,
        callback: Vec<String>,
        allowed_callback: Vec<String>,
        authorization_header: Vec<String>,
    }
    let rejected: Rejected = rows(include_str!("../vectors/rejected.toml"));
    for text in &rejected.origin {
        assert!(Origin::split(text).is_err(), "{text}");
    }
    for text in &rejected.public_url {
        assert!(PublicUrl::parse(text).is_err(), "{text}");
    }
    for text in rejected
        .callback
        .into_iter()
        .chain([format!("https://h/{}", "a".repeat(5000))])
    {
        let problem = Callback::parse(&text).unwrap_err();
        assert_eq!(problem.name(), "parameter_rejected", "{text}");
        assert_eq!(
            problem.pairs()[1],
            ("oauth_parameters_rejected", "oauth_callback".to_owned())
        );
    }
    for text in &rejected.allowed_callback {
        assert!(AllowedCallback::parse(text).is_err(), "{text}");
    }
    for text in &rejected.authorization_header {
        let credentials = authorization_header::credentials(&[text.as_bytes()])
            .unwrap()
            .unwrap();
        let problem = authorization_header::parameters(credentials)
            .find_map(Result::err)
            .unwrap();
        assert_eq!(problem.name(), "parameter_rejected", "{text}");
    }
}

#[test]
fn callbacks_are_kept_and_compared_with_the_allowed_ones() {
    #[derive(Deserialize)]
    struct Callbacks {
        accepted: Vec<String>,
        allowed: Vec<Allowed>,
    }
    #[derive(Deserialize)]
    struct Allowed {
        pattern: String,
        matches: Vec<String>,
        others: Vec<String>,
    }
    let callbacks: Callbacks = rows(include_str!("../vectors/callbacks.toml"));
    for text in callbacks.accepted {
        assert_eq!(Callback::parse(&text).unwrap().as_str(), text);
    }
    for Allowed {
        pattern,
        matches,
        others,
    } in callbacks.allowed
    {
        let allowed = AllowedCallback::parse(&pattern).unwrap();
        assert_eq!(allowed.as_str(), pattern);
        for (text, is_allowed) in matches
            .iter()
            .map(|text| (text, true))
            .chain(others.iter().map(|text| (text, false)))
        {
            let Ok(Callback::Url(url)) = Callback::parse(text) else {
                panic!("{text}")
            };
            assert_eq!(allowed.allows(&url), is_allowed, "{pattern} {text}");
        }
    }
}

/// A request that signs nothing.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    header: Option<String>,
    absent: Option<String>,
    #[serde(default)]
    set: Vec<(String, String)>,
    query: Option<String>,
    form: Option<String>,
    normalized: Option<String>,
    #[serde(default)]
    problem: String,
    names: Option<String>,
}

#[derive(Deserialize)]
struct Rows {
    case: Vec<Row>,
}

#[test]
fn parameters_are_collected_and_normalized() {
    let rows: Rows = rows(include_str!("../vectors/parameters.toml"));
    for row in rows.case {
        let header = row.header.as_deref().map(str::as_bytes);
        let form = row.form.as_deref().map(str::as_bytes);
        let parameters = collect_parameters(row.query.as_deref(), header.as_slice(), form).unwrap();
        let normalized = parameters.map(|parameters| joined(&parameters));
        assert_eq!(normalized, row.normalized);
    }
}

#[test]
fn requests_are_rejected_with_the_first_problem() {
    const USUAL: [(&str, &str); 5] = [
        ("oauth_consumer_key", "k"),
        ("oauth_signature_method", "HMAC-SHA1"),
        ("oauth_signature", "s"),
        ("oauth_timestamp", "1700000000"),
        ("oauth_nonce", "n"),
    ];
    let url = PublicUrl::parse("https://h").unwrap();
    let rows: Rows = rows(include_str!("../vectors/negative_requests.toml"));
    for row in rows.case {
        let is_usual = |(name, _): &(&str, &str)| {
            row.absent.as_deref() != Some(*name) && row.set.iter().all(|(set, _)| set != name)
        };
        let set = row
            .set
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()));
        let pairs = USUAL.into_iter().filter(is_usual).chain(set);
        let header = row
            .header
            .clone()
            .unwrap_or_else(|| authorization_header::authorization(pairs, None));
        let header = Some(header.as_bytes()).filter(|header| !header.is_empty());
        let problem = SignedRequest::parse(&RequestView {
            method: "POST",
            url: &url,
            secure: true,
            path: "/p",
            query: row.query.as_deref(),
            authorization: header.as_slice(),
            form: row.form.as_deref().map(str::as_bytes),
            has_other_body: false,
        });
        let problem = problem.unwrap_err();
        let pairs = problem.pairs();
        assert_eq!(
            problem.name(),
            row.problem,
            "{header:?} {:?} {:?}",
            row.query,
            row.form
        );
        if let Some(names) = row.names {
            assert_eq!(pairs[1].1, names);
        }
        assert!(!matches!(problem, Problem::SignatureInvalid(_)));
    }
}

#[test]
fn every_pasted_form_of_a_key_is_parsed_and_other_things_are_named() {
    #[derive(Deserialize)]
    struct Pasted {
        good: Vec<Good>,
        bad: Vec<Bad>,
    }
    #[derive(Deserialize)]
    struct Good {
        text: String,
    }
    #[derive(Deserialize)]
    struct Bad {
        text: String,
        sentence: String,
    }
    let pasted: Pasted = rows(include_str!("../vectors/pasted_keys.toml"));
    let key = PublicKey::parse(&pasted.good[0].text).unwrap();
    assert_eq!((key.bits(), pasted.good.len()), (1024, 15));
    for Good { text } in pasted.good {
        assert_eq!(PublicKey::parse(&text).as_ref(), Ok(&key), "{text}");
    }
    for Bad { text, sentence } in pasted.bad {
        let found = PublicKey::parse(&text).unwrap_err().to_string();
        assert_eq!(found, sentence, "{text}");
    }
    let long = PublicKey::parse(&"x".repeat(1 << 17)).unwrap_err();
    assert!(long.to_string().contains("too long"));
}
