//! What one signed call costs, part by part, so that a regression shows: `cargo bench --bench signature`.
//!
//! Times on a shared machine say little; compare two runs of the same minute. `tests/bench/run` measures the whole server
//! beside others.

#![expect(
    clippy::unwrap_used,
    reason = "a benchmark that cannot be set up has nothing to say"
)]

use std::cell::Cell;
use std::sync::Arc;

use divan::Bencher;
use divan::counter::ItemsCount;
use linkgate::clock::Clock;
use linkgate::model::UserStatus;
use linkgate::model::{Consumer, ConsumerSource};
use linkgate::oauth::{
    ConsumerKey, PrivateKey, PublicUrl, RequestSigner, RequestView, Secret, SignatureMethod, SignedRequest,
    SigningKey, Timestamp, UnsignedRequest, VerificationKey, authorization_header, parameters,
};
use linkgate::provider::{Directory, Provider, Rules};
use linkgate::store::{Keyring, Store, StoreConfig};
use rand::rand_core::UnwrapErr;
use rand::rngs::SysRng;
use tokio::runtime::Runtime;

fn main() {
    divan::main();
}

const NOW: Timestamp = Timestamp::from_seconds(1_700_000_000);
const PATH: &str = "/protected";
const QUERY: &str = "expand=names&maxResults=50&jql=project%20%3D%20ABC";
const METHODS: [SignatureMethod; 2] = [SignatureMethod::HmacSha1, SignatureMethod::RsaSha1];

/// A consumer, and what linkgate knows of it.
struct Peer {
    signer: RequestSigner,
    known: VerificationKey,
}

impl Peer {
    fn new(method: SignatureMethod) -> Self {
        let key = ConsumerKey::parse("bitbucket").unwrap();
        let (signing, known) = if method.is_rsa() {
            let private = PrivateKey::generate(2048, &mut UnwrapErr(SysRng)).unwrap();
            let public = private.public_key();
            (SigningKey::Rsa(private), VerificationKey::Rsa(public))
        } else {
            let secret = Secret::new("correct-horse-battery-staple");
            (SigningKey::Hmac(secret.clone()), VerificationKey::Hmac(secret))
        };
        Self {
            signer: RequestSigner {
                consumer_key: key,
                key: signing,
                method,
            },
            known,
        }
    }

    /// The `Authorization` header of a call.
    fn header(&self, nonce: u64) -> String {
        let url = format!("https://builds.example.com{PATH}?{QUERY}");
        let request = UnsignedRequest::new(http::Method::GET, url);
        let pairs = self.signer.sign(&request, NOW, &format!("{nonce:020}")).unwrap();
        authorization_header::authorization(pairs, None)
    }
}

/// Shows a call to a function as it arrives.
fn viewed<T>(authorization: &str, look: impl FnOnce(&RequestView<'_>) -> T) -> T {
    let url = PublicUrl::parse("https://builds.example.com").unwrap();
    look(&RequestView {
        method: "GET",
        url: &url,
        secure: true,
        path: PATH,
        query: Some(QUERY),
        authorization: &[authorization.as_bytes()],
        form: None,
        has_other_body: false,
    })
}

#[divan::bench]
fn collect_parameters(bencher: Bencher<'_, '_>) {
    let header = Peer::new(SignatureMethod::HmacSha1).header(1);
    viewed(&header, |view| {
        bencher.bench_local(|| {
            parameters::collect_parameters(view.query, view.authorization, view.form)
                .unwrap()
                .is_some()
        });
    });
}

/// Parameters, their checks, and the base string.
#[divan::bench]
fn parse(bencher: Bencher<'_, '_>) {
    let header = Peer::new(SignatureMethod::HmacSha1).header(1);
    viewed(&header, |view| {
        bencher.bench_local(|| SignedRequest::parse(view).unwrap());
    });
}

#[divan::bench(args = METHODS)]
fn verify(bencher: Bencher<'_, '_>, method: SignatureMethod) {
    let peer = Peer::new(method);
    let header = peer.header(1);
    let keys = [peer.known];
    viewed(&header, |view| {
        bencher
            .with_inputs(|| SignedRequest::parse(view).unwrap().unwrap())
            .bench_local_values(|claim| claim.verify(&keys, None).unwrap());
    });
}

/// From the head of a call to the caller, nonces written for good: 32 calls at a time, as a busy server has them.
#[divan::bench(args = METHODS)]
fn authenticate_on_sqlite(bencher: Bencher<'_, '_>, method: SignatureMethod) {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}", folder.path().join("bench.db").display());
    authenticate(bencher, method, url);
}

/// The same on PostgreSQL; `LINKGATE_TEST_POSTGRES` names an empty database, as `tests/postgres start` prints it.
#[divan::bench(args = METHODS)]
fn authenticate_on_postgresql(bencher: Bencher<'_, '_>, method: SignatureMethod) {
    match std::env::var("LINKGATE_TEST_POSTGRES") {
        Ok(url) => authenticate(bencher, method, url),
        Err(_) => eprintln!("not measured: export LINKGATE_TEST_POSTGRES=$(tests/postgres start)"),
    }
}

fn authenticate(bencher: Bencher<'_, '_>, method: SignatureMethod, url: String) {
    let runtime = Runtime::new().unwrap();
    let peer = Peer::new(method);
    let provider = Arc::new(runtime.block_on(provider(&peer, method, url)));
    let nonce = Cell::new(u64::from(std::process::id()) << 32 | u64::from(method.is_rsa()) << 31);
    bencher
        .counter(ItemsCount::new(BUSY))
        .with_inputs(|| {
            let header = || {
                nonce.set(nonce.get() + 1);
                peer.header(nonce.get())
            };
            std::iter::repeat_with(header).take(BUSY).collect::<Vec<_>>()
        })
        .bench_local_values(|headers| {
            runtime.block_on(async {
                let calls: Vec<_> = headers
                    .into_iter()
                    .map(|header| tokio::spawn(call(Arc::clone(&provider), header)))
                    .collect();
                for call in calls {
                    call.await.unwrap();
                }
            });
        });
}

async fn call(provider: Arc<Provider>, header: String) {
    let url = PublicUrl::parse("https://builds.example.com").unwrap();
    let view = RequestView {
        method: "GET",
        url: &url,
        secure: true,
        path: PATH,
        query: Some(QUERY),
        authorization: &[header.as_bytes()],
        form: None,
        has_other_body: false,
    };
    let call = provider.authenticate_call(&view, None).await.unwrap().unwrap();
    provider.accept_call(call).await.unwrap();
}

async fn provider(peer: &Peer, method: SignatureMethod, url: String) -> Provider {
    let keyring = Arc::new(Keyring::generate(&mut UnwrapErr(SysRng)));
    let options = StoreConfig {
        max_connections: 4_u32.try_into().unwrap(),
        ..StoreConfig::new(url)
    };
    let store = Store::open(&options, Arc::clone(&keyring), Clock::System.now())
        .await
        .unwrap();
    store
        .synchronise_consumers(&[consumer(peer, method)], NOW)
        .await
        .unwrap();
    let clock = Clock::fixed(NOW);
    let directory = Directory::new(|_| std::future::ready(UserStatus::Unknown));
    Provider::new(
        store,
        keyring,
        clock,
        directory,
        Rules::new("https://builds.example.com"),
    )
}

/// Two-legged calls need no token, and ask for one read less.
fn consumer(peer: &Peer, method: SignatureMethod) -> Consumer {
    Consumer {
        key: ConsumerKey::parse("bitbucket").unwrap(),
        name: "Bitbucket".to_owned(),
        keys: vec![peer.known.clone()],
        methods: [method].into(),
        callbacks: Vec::new(),
        default_callback: None,
        two_legged: true,
        two_legged_user: None,
        impersonation: false,
        session_handles: true,
        require_body_hash: false,
        addresses: Vec::new(),
        enabled: true,
        source: ConsumerSource::Config,
    }
}

/// Calls under way at a time.
const BUSY: usize = 32;
