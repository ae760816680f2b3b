//! Users whom the login method does not find, for a moment or for ever.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use linkgate::clock::Clock;
use linkgate::model::{NewAccess, RequestToken, RequestTokenState, User, UserStatus};
use linkgate::oauth::{
    Callback, ConsumerKey, RequestSigner, Secret, SignatureMethod, SigningKey, Token, TokenCredentials,
    TokenParameter, UnsignedRequest, authorization_header,
};
use linkgate::provider::{Directory, Provider, Rules};
use linkgate::store::Store;

use super::signed::{consumer, is_refused};
use super::{get, keyring, options, serve, status, store};
use crate::support::{App, rng};

/// The users whom the login method finds.
type Found = Arc<Mutex<BTreeSet<&'static str>>>;

struct Gateway {
    address: SocketAddr,
    clock: Clock,
    found: Found,
    token: Token,
}

impl Gateway {
    /// With a token of alice's. `recent`: who has signed in here.
    async fn start(app: &App, recent: &[&'static str]) -> Self {
        let (store, clock) = (store().await, Clock::fixed(Clock::System.now()));
        let token = connected(&store, &clock).await;
        for subject in recent {
            store.remember_user(&user(subject, &clock)).await.unwrap();
        }
        let found = Found::default();
        let finds = Arc::clone(&found);
        let directory = Directory::new(move |subject: String| {
            let standing = if finds.lock().unwrap().contains(&*subject) {
                UserStatus::Active {
                    display_name: subject,
                }
            } else {
                UserStatus::NotFound
            };
            std::future::ready(standing)
        });
        let rules = Rules::new("https://builds.example.com");
        let directory = directory.with_passing_absences();
        let mut options = options(app).await;
        options.check.provider = Arc::new(Provider::new(store, keyring(), clock.clone(), directory, rules));
        let address = serve(options).await;
        Self {
            address,
            clock,
            found,
            token,
        }
    }

    /// A call with alice's token, when these users are found.
    async fn call(&self, found: &[&'static str]) -> String {
        *self.found.lock().unwrap() = found.iter().copied().collect();
        let secret = keyring().token_secret(&self.token).unwrap();
        let signer = RequestSigner {
            consumer_key: consumer().key,
            key: SigningKey::Hmac(Secret::new("secret")),
            method: SignatureMethod::HmacSha1,
        };
        let credentials = TokenCredentials {
            token: self.token.clone(),
            secret,
        };
        let call = UnsignedRequest {
            token: TokenParameter::Token(credentials),
            ..UnsignedRequest::new(http::Method::GET, "https://builds.example.com/api/x")
        };
        let nonce = Token::generate("", &mut rng());
        let parameters = signer.sign(&call, self.clock.now(), nonce.as_str());
        let header = authorization_header::authorization(parameters.unwrap(), None);
        get(self.address, "/api/x", &format!("Authorization: {header}\r\n")).await
    }
}

async fn connected(store: &Store, clock: &Clock) -> Token {
    let [asked, token] = [(); 2].map(|()| keyring().new_token(&mut rng()));
    let (now, key) = (clock.now(), ConsumerKey::parse("peer").unwrap());
    let question = RequestToken {
        consumer: key.clone(),
        callback: Callback::OutOfBand,
        issued_at: now,
        expires_at: now.plus(60),
        wrong_verifiers: 0,
        state: RequestTokenState::Pending,
    };
    let access = NewAccess {
        issued_at: now,
        expires_at: now.plus(86_400),
        session: None,
    };
    store.add_request_token(&asked, &question).await.unwrap();
    store
        .authorize_request_token(&asked, &user("alice", clock), None, now)
        .await
        .unwrap();
    store
        .exchange(&asked, &key, now, &token, &access, None)
        .await
        .unwrap()
        .unwrap();
    token
}

fn user(subject: &str, clock: &Clock) -> User {
    User {
        subject: subject.to_owned(),
        display_name: subject.to_owned(),
        proved_by: "file".to_owned(),
        proved_at: clock.now(),
    }
}

fn is_uncertain(answer: &str) -> bool {
    status(answer) == "503" && !answer.contains("oauth_problem") && answer.contains("\r\nretry-after: ")
}

#[tokio::test]
async fn a_user_does_not_exist_when_that_lasts_and_another_one_is_found() {
    let app = App::start().await;
    let gateway = Gateway::start(&app, &["alice", "bob"]).await;
    assert_eq!(status(&gateway.call(&["alice", "bob"]).await), "200");
    // The application is deployed: it finds no user.
    for seconds in [0, 30, 29, 1, 600] {
        gateway.clock.advance(seconds);
        let answer = gateway.call(&[]).await;
        assert!(is_uncertain(&answer), "{answer}");
    }
    let answer = gateway.call(&["alice", "bob"]).await;
    assert_eq!(status(&answer), "200", "she was there all the time: {answer}");
    // She leaves; that she was missing before does not count.
    for seconds in [0, 59] {
        gateway.clock.advance(seconds);
        let answer = gateway.call(&["bob"]).await;
        assert!(is_uncertain(&answer), "{answer}");
    }
    gateway.clock.advance(1);
    let answer = gateway.call(&["bob"]).await;
    assert!(is_refused(&answer, "token_rejected"), "{answer}");
    assert_eq!(app.received().len(), 2);
}

#[tokio::test]
async fn the_only_user_is_never_certain_not_to_exist() {
    let app = App::start().await;
    let gateway = Gateway::start(&app, &["alice"]).await;
    for seconds in [0, 600, 80_000] {
        gateway.clock.advance(seconds);
        let answer = gateway.call(&["bob"]).await;
        assert!(is_uncertain(&answer), "{answer}");
    }
}
