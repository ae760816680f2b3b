use proptest::prelude::*;

use super::*;
use crate::oauth::PublicUrl;
use crate::oauth::sent::Sent;

const SIGNED: &str =
    "oauth_consumer_key=k&oauth_signature_method=HMAC-SHA1&oauth_signature=s&oauth_timestamp=1&oauth_nonce=n";

/// What is collected from a header, a query and a form.
fn collect(header: Option<&str>, query: &str, form: &str) -> Result<Option<Parameters>, Problem> {
    let url = PublicUrl::parse("https://h").unwrap();
    let header = header.map(str::as_bytes);
    Parameters::collect(&RequestView {
        method: "POST",
        url: &url,
        secure: true,
        path: "/",
        query: Some(query),
        authorization: header.as_slice(),
        form: Some(form.as_bytes()),
    })
}

fn joined(parameters: &Parameters) -> String {
    let pairs = parameters
        .iter()
        .map(|parameter| format!("{}={}", parameter.name, parameter.value));
    pairs.collect::<Vec<_>>().join("&")
}

/// The names that a refusal names.
fn refused(collected: Result<Option<Parameters>, Problem>) -> Vec<String> {
    match collected {
        Err(Problem::ParameterRejected { names, .. }) => names,
        other => panic!("{other:?}"),
    }
}

#[test]
fn all_three_places_are_merged_and_sorted() {
    let header = "OAuth realm=\"r\", oauth_nonce=\"a+b%20c\", z=\"1\"";
    let all = collect(Some(header), "b=x+y&a", "b=x%2by").unwrap().unwrap();
    assert_eq!(joined(&all), "a=&b=x%20y&b=x%2By&oauth_nonce=a%2Bb%20c&z=1");
    assert_eq!(all.source(), Some(Source::Header));
}

#[test]
fn a_realm_is_signed_unless_it_stands_in_the_header() {
    let all = collect(Some("OAuth Realm=\"r\""), "realm=q", "realm=f")
        .unwrap()
        .unwrap();
    assert_eq!(joined(&all), "realm=f&realm=q");
}

#[test]
fn a_request_without_a_signature_carries_no_oauth() {
    for (header, query, form) in [
        (None, "", ""),
        (Some("Bearer oauth_nonce"), "", ""),
        (Some("Basic eDp5, OAuth oauth_nonce=\"n\""), "", ""),
        (Some("OAuth2 t"), "", ""),
        (None, "oauth_token=t&oauth_verifier=v", ""),
        (None, "%zz&xoauth_signature=1&oauth_signatures", "%&\u{fffd}=%f"),
    ] {
        assert!(
            collect(header, query, form).unwrap().is_none(),
            "{header:?} {query} {form}"
        );
    }
}

#[test]
fn a_signature_is_found_in_every_place_and_spelling() {
    for (header, query, form) in [
        (Some("oauth"), "", ""),
        (Some("OAUTH oauth_nonce=\"n\""), "", ""),
        (None, "a&oauth_nonce", ""),
        (None, "", "%6Fauth%5fsignature=s"),
    ] {
        assert!(
            collect(header, query, form).unwrap().is_some(),
            "{header:?} {query} {form}"
        );
    }
}

#[test]
fn a_protocol_parameter_comes_once() {
    let twice = |more: &str| refused(collect(None, &format!("{SIGNED}&{more}"), ""));
    assert_eq!(twice("oauth_nonce=n"), ["oauth_nonce"]);
    assert_eq!(
        twice("oauth_verifier=1&oauth_verifier=2&oauth_verifier=3"),
        ["oauth_verifier"]
    );
    assert_eq!(twice("oauth_foo&oauth%5Ffoo"), ["oauth_foo"]);
    let header = "OAuth oauth_body_hash=\"a\",oauth_session_handle=\"b\",oauth_body_hash=\"a\",oauth_session_handle=\"b\"";
    assert_eq!(
        refused(collect(Some(header), "", "")),
        ["oauth_body_hash", "oauth_session_handle"]
    );
    assert_eq!(
        refused(collect(Some("OAuth realm=\"a\", realm=\"a\""), "", "")),
        ["realm"]
    );
}

#[test]
fn protocol_parameters_stand_in_one_place() {
    let header = Some("OAuth oauth_nonce=\"n\"");
    assert_eq!(refused(collect(header, "oauth_token=t", "")), ["oauth_token"]);
    assert_eq!(refused(collect(header, "", "oauth_foo=t")), ["oauth_foo"]);
    assert_eq!(refused(collect(None, SIGNED, "oauth_token=t")), ["oauth_token"]);
    assert_eq!(refused(collect(header, "oauth_nonce=n", "")), ["oauth_nonce"]);
}

#[test]
fn an_unknown_protocol_parameter_is_signed_like_any_other() {
    let all = collect(None, &format!("{SIGNED}&oauth_foo=1"), "")
        .unwrap()
        .unwrap();
    assert!(all.signed().any(|parameter| parameter.name == "oauth_foo"));
    assert!(all.signed().all(|parameter| parameter.name != "oauth_signature"));
}

#[test]
fn broken_escapes_are_refused_by_name() {
    assert_eq!(
        refused(collect(Some("OAuth oauth_nonce=\"%zz\""), "", "")),
        ["oauth_nonce"]
    );
    assert_eq!(refused(collect(None, &format!("{SIGNED}&q=%"), "")), ["q"]);
    assert_eq!(refused(collect(None, SIGNED, "%2=x")), ["%2"]);
}

#[test]
fn bytes_that_are_not_utf8_stay_what_they_are() {
    let all = collect(None, &format!("{SIGNED}&a=%ff"), "").unwrap().unwrap();
    assert!(joined(&all).starts_with("a=%FF&"));
    let raw = Parameters::of_call(b"", b"b=\xff\xfe", &[("a", "\u{e9}")]).unwrap();
    assert_eq!(joined(&raw), "a=%C3%A9&b=%FF%FE");
    assert_eq!(refused(all_text(&all)), ["a"]);
}

fn all_text(all: &Parameters) -> Result<Option<Parameters>, Problem> {
    all.protocol("a").map(|_| None)
}

#[test]
fn too_many_parameters_are_refused_at_once() {
    let many = |count: usize| format!("{SIGNED}{}", "&a=b".repeat(count));
    assert!(collect(None, &many(995), "").is_ok());
    for query in [many(996), many(10_000), many(250_000)] {
        assert_eq!(refused(collect(None, &query, "")), [""; 0]);
    }
}

#[test]
fn long_names_with_one_beginning_are_sorted() {
    let name = "[".repeat(1000);
    let pieces: Vec<_> = (0..990).rev().map(|at| format!("{name}{at}={name}")).collect();
    let all = collect(None, &format!("{SIGNED}&{}", pieces.join("&")), "")
        .unwrap()
        .unwrap();
    assert!(
        all.iter()
            .is_sorted_by_key(|parameter| (parameter.name, parameter.value))
    );
}

/// What a query collects to, as RFC 5849, section 3.4.1.3 defines it: nothing noted on the way, nothing in one step.
fn collected_plainly(query: &str) -> Result<String, encode::BrokenEscape> {
    let encoded = |raw: &str| {
        let mut out = String::new();
        encode::push_encoded(&mut out, &encode::decode(&raw.replace('+', " "))?);
        Ok(out)
    };
    let pairs = query.split('&').filter(|piece| !piece.is_empty());
    let pairs = pairs.map(|piece| piece.split_once('=').unwrap_or((piece, "")));
    let pairs = pairs.map(|(name, value)| Ok((encoded(name)?, encoded(value)?)));
    let mut pairs = pairs.collect::<Result<Vec<_>, _>>()?;
    pairs.sort();
    let pairs = pairs.iter().map(|(name, value)| format!("{name}={value}"));
    Ok(pairs.collect::<Vec<_>>().join("&"))
}

proptest! {
    #[test]
    fn what_is_collected_is_decoded_encoded_and_sorted(
        pieces in proptest::collection::vec("[&=+%oah_ -]{0,3}|a{14,18}=?b?|oauth_(token|nonce|extra[=a-c]{0,3})|%(3d|7E|6f|ff)|[é/=&]", 0..16),
    ) {
        let query = pieces.join("&");
        let collected = Parameters::from_form(query.as_bytes(), Source::Query);
        match collected_plainly(&query) {
            Ok(plainly) => {
                let collected = collected.unwrap();
                prop_assert_eq!(joined(&collected), plainly);
                for name in collected.iter().map(|parameter| parameter.name) {
                    let plainly = collected.iter().filter(|parameter| parameter.name == name);
                    prop_assert!(collected.named(name).eq(plainly));
                }
                let begin_alike = collected.iter().filter(|parameter| parameter.name.starts_with("oauth_"));
                prop_assert_eq!(collected.source(), begin_alike.map(|parameter| parameter.source).min());
            }
            Err(encode::BrokenEscape) => prop_assert!(collected.is_err()),
        }
    }

    #[test]
    fn the_first_look_misses_no_signature(raw in "([a-z%=+]{0,6}&?){0,4}(&?(o|%6f|%6F)auth_nonce[=&]?)?[a-z%&=]{0,6}") {
        let is_nonce = |(name, _): (Sent<'_>, Sent<'_>)| encode::means(name.raw, "oauth_nonce", Plus::Space);
        if form_pairs(raw.as_bytes()).any(is_nonce) {
            prop_assert!(may_carry_signature(raw.as_bytes()));
        }
    }
}
