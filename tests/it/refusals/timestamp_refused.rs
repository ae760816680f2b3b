//! `timestamp_refused`: a signature is good for five minutes (RFC 5849, section 3.3).

use crate::support::{Call, Linkgate, Peer, Text as _};

fn call(linkgate: &Linkgate) -> Call {
    Peer::robot().call(linkgate, "GET", "/api/x")
}

#[tokio::test]
async fn a_timestamp_is_whole_seconds_in_one_spelling() {
    let linkgate = Linkgate::start().await;
    let now = linkgate.now();
    for text in [
        String::new(),
        "abc".to_owned(),
        "-1".to_owned(),
        "0".to_owned(),
        "1.5".to_owned(),
        "1e9".to_owned(),
        "99999999999999999999".to_owned(),
        "9".repeat(500),
        format!("+{now}"),
        format!(" {now}"),
        format!("{now} "),
        format!("0{now}"),
        format!("{now}.0"),
        "\u{661}\u{668}\u{660}\u{660}".to_owned(),
    ] {
        let sent = call(&linkgate).oauth("oauth_timestamp", &text);
        let answer = sent.refused(&linkgate, "parameter_rejected").await;
        answer.assert_value("oauth_parameters_rejected", "oauth_timestamp");
    }
    let milliseconds = call(&linkgate).oauth("oauth_timestamp", &format!("{now}000"));
    milliseconds.refused(&linkgate, "timestamp_refused").await;
    assert!(linkgate.app.received().is_empty());
}

#[tokio::test]
async fn a_timestamp_lies_in_the_window_and_the_refusal_names_it() {
    let linkgate = Linkgate::start().await;
    let now = linkgate.now();
    for (offset, fits) in [
        (-301, false),
        (-300, true),
        (-299, true),
        (299, true),
        (300, true),
        (301, false),
    ] {
        let answer = call(&linkgate)
            .oauth("oauth_timestamp", &(now + offset).to_string())
            .send(&linkgate)
            .await;
        if fits {
            assert_eq!(answer.status, 200, "{offset}: {answer:?}");
            continue;
        }
        answer.assert_refused("timestamp_refused");
        let acceptable = format!("{}-{}", now - 300, now + 300);
        assert_eq!(answer.value("oauth_acceptable_timestamps"), Some(acceptable));
        let advice = answer.value("oauth_problem_advice").unwrap();
        advice.has("clock");
        advice.has(now.to_string());
    }
    // The window moves with the server's clock.
    let kept = call(&linkgate).oauth("oauth_timestamp", &(now + 301).to_string());
    linkgate.clock.advance(1);
    kept.passes(&linkgate).await;
}
