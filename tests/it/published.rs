//! The cases of `vectors/`: how one is read, the request that it describes, and the keys that it names.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::Method;
use linkgate::oauth::authorization_header::authorization;
use linkgate::oauth::base_string::signature_base_string;
use linkgate::oauth::encoding::{Encoding, decode_utf8};
use linkgate::oauth::parameters::{collect_parameters, normalize_parameters};
use linkgate::oauth::{
    Parameters, PrivateKey, Problem, PublicKey, PublicUrl, RequestView, Secret, SignatureMethod,
    SignedRequest, SigningKey, UnsignedRequest, VerificationKey,
};
use rsa::Pkcs1v15Sign;
use rsa::pkcs8::DecodePublicKey;
use serde::Deserialize;
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha512};

/// A case of any kind: each kind uses some of the fields.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Case {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) source: String,
    pub(crate) note: Option<String>,
    pub(crate) why: String,
    pub(crate) attack: String,
    pub(crate) consumer: String,
    pub(crate) expect: String,
    pub(crate) input: String,
    pub(crate) output: String,
    pub(crate) form: Option<String>,
    pub(crate) url: String,
    pub(crate) method: String,
    pub(crate) oauth_params: Vec<(String, String)>,
    pub(crate) params: Vec<(String, String)>,
    pub(crate) header: String,
    pub(crate) valid: bool,
    pub(crate) realm: Option<String>,
    pub(crate) body: Option<String>,
    pub(crate) content_type: Option<String>,
    pub(crate) algorithm: String,
    pub(crate) base_string: Option<String>,
    pub(crate) signature: Option<String>,
    pub(crate) signature_method: Option<String>,
    pub(crate) consumer_secret: String,
    pub(crate) consumer_secret_used: String,
    pub(crate) token_secret: String,
    pub(crate) token_secret_used: String,
    pub(crate) key: Option<String>,
    pub(crate) private_pem: Option<String>,
    pub(crate) public_pem: Option<String>,
    pub(crate) public_spki_pem: String,
    pub(crate) certificate_pem: Option<String>,
    pub(crate) certificate_not_after: Option<String>,
    pub(crate) bits: usize,
    pub(crate) computed_signature: Option<String>,
    pub(crate) computed_base_string: Option<String>,
    pub(crate) computed_output: Option<String>,
    pub(crate) policy: String,
    pub(crate) registered: String,
    pub(crate) requested: String,
    pub(crate) r#match: bool,
}

/// Reads one file. The count is part of the test: no case may be dropped in silence.
pub(crate) fn cases(text: &str, count: usize) -> Vec<Case> {
    #[derive(Deserialize)]
    struct File {
        case: Vec<Case>,
    }
    let cases = toml::from_str::<File>(text).unwrap().case;
    assert_eq!(cases.len(), count);
    assert!(cases.iter().all(|case| !case.source.is_empty()));
    cases
}

/// The normalized parameters of a query and of a form, which are read alike.
pub(crate) fn normalised(form: &str) -> String {
    let normalize = |query, form| {
        let parameters = Parameters::of_unsigned::<&str, &str>(query, form, &[]).unwrap();
        let pairs = normalize_parameters(&parameters).map(|(name, value)| [&**name, value].join(&b'='));
        String::from_utf8(pairs.collect::<Vec<_>>().join(&b'&')).unwrap()
    };
    let normalized = normalize("", form.as_bytes());
    assert_eq!(normalized, normalize(form, b""));
    normalized
}

/// The base string as a consumer makes it from its URL.
pub(crate) fn sent(case: &Case) -> String {
    let form = case
        .body
        .clone()
        .filter(|_| case.content_type.is_some())
        .unwrap_or_default();
    let method = Method::from_bytes(case.method.as_bytes()).unwrap();
    let request = UnsignedRequest::new(method, case.url.as_str()).form(form);
    request.base_string(&case.oauth_params).unwrap()
}

/// The base string of the request as it reaches us, with its parameters in the header.
pub(crate) fn received(case: &Case) -> String {
    with_view(case, None, |view| {
        let parameters = collect_parameters(view.query, view.authorization, view.form)
            .unwrap()
            .unwrap();
        let path = if view.path.is_empty() { "/" } else { view.path };
        signature_base_string(view.method, [view.url.as_str(), path], &parameters)
    })
}

/// The claim as we parse it.
pub(crate) fn parsed(case: &Case, signature: &str) -> Result<SignedRequest, Problem> {
    with_view(case, Some(signature), |view| {
        SignedRequest::parse(view).map(Option::unwrap)
    })
}

/// The pairs inside a base string.
pub(crate) fn signed_pairs(base_string: &str) -> Vec<(String, String)> {
    let text = |encoded: &str| decode_utf8(encoded.as_bytes(), Encoding::Percent).unwrap();
    let normalised = text(base_string.rsplit('&').next().unwrap());
    let pairs = normalised.split('&').map(|pair| pair.split_once('=').unwrap());
    pairs.map(|(name, value)| (text(name), text(value))).collect()
}

/// Verifies, finds nothing else that verifies, and signs the same where the private key is known.
pub(crate) fn check_signature(case: &Case, base_string: &str) {
    let (key, method) = (verification_key(case), method(case));
    let signature = case.signature.as_deref().unwrap();
    let secret = Secret::new(case.token_secret.as_str());
    let verify = |text: &str, signature: &str| key.verify(method, text, signature, Some(&secret));
    assert!(verify(base_string, signature), "{}", case.id);
    assert!(
        method == SignatureMethod::Plaintext || !verify(&format!("{base_string}x"), signature),
        "{}",
        case.id
    );
    assert!(!verify(base_string, &signature[1..]), "{}", case.id);
    assert!(
        !method.is_rsa() || second_opinion(case, base_string),
        "{}: the rsa crate",
        case.id
    );
    if let Some(key) = signing_key(case) {
        assert_eq!(
            key.sign(method, base_string, Some(&secret)).as_deref(),
            Some(signature),
            "{}",
            case.id
        );
    }
}

/// What the `rsa` crate says of a signature.
pub(crate) fn second_opinion(case: &Case, base_string: &str) -> bool {
    let key = published_key(case.key.as_deref().unwrap());
    let key = rsa::PublicKey::from_public_key_der(&STANDARD.decode(key.to_base64()).unwrap()).unwrap();
    let signature = STANDARD.decode(case.signature.as_deref().unwrap()).unwrap();
    let verified = match method(case) {
        SignatureMethod::RsaSha1 => key.verify(
            Pkcs1v15Sign::new::<Sha1>(),
            &Sha1::digest(base_string),
            &signature,
        ),
        SignatureMethod::RsaSha256 => key.verify(
            Pkcs1v15Sign::new::<Sha256>(),
            &Sha256::digest(base_string),
            &signature,
        ),
        SignatureMethod::RsaSha512 => key.verify(
            Pkcs1v15Sign::new::<Sha512>(),
            &Sha512::digest(base_string),
            &signature,
        ),
        other => panic!("{other:?}"),
    };
    verified.is_ok()
}

/// Shows the request of a case as it arrives, with its parameters in the header.
fn with_view<T>(case: &Case, signature: Option<&str>, then: impl FnOnce(&RequestView<'_>) -> T) -> T {
    let url = case.url.split('#').next().unwrap();
    let (before, query) = url
        .split_once('?')
        .map_or((url, None), |(before, query)| (before, Some(query)));
    let authority = before.find("://").unwrap() + 3;
    let path = before[authority..]
        .find('/')
        .map_or(before.len(), |at| authority + at);
    let signature = signature.map(|value| ("oauth_signature".to_owned(), value.to_owned()));
    let pairs = case.oauth_params.iter().cloned().chain(signature);
    let header = authorization(pairs, case.realm.as_deref());
    then(&RequestView {
        method: &case.method,
        url: &PublicUrl::parse(&before[..path]).unwrap(),
        secure: before.starts_with("https"),
        path: &before[path..],
        query,
        authorization: &[header.as_bytes()],
        form: case
            .content_type
            .as_ref()
            .and(case.body.as_deref())
            .map(str::as_bytes),
        has_other_body: false,
    })
}

/// The method that a case is signed with.
pub(crate) fn method(case: &Case) -> SignatureMethod {
    case.signature_method.as_deref().unwrap().parse().unwrap()
}

/// What verifies a case.
pub(crate) fn verification_key(case: &Case) -> VerificationKey {
    match &case.key {
        Some(name) => VerificationKey::Rsa(published_key(name)),
        None => VerificationKey::Hmac(Secret::new(case.consumer_secret.as_str())),
    }
}

/// What signs a case, unless only the public key was published.
fn signing_key(case: &Case) -> Option<SigningKey> {
    let Some(name) = &case.key else {
        return Some(SigningKey::Hmac(Secret::new(case.consumer_secret.as_str())));
    };
    let published = published_keys()
        .into_iter()
        .find(|key| key.name == *name)
        .unwrap();
    published
        .private_pem
        .map(|pem| SigningKey::Rsa(PrivateKey::from_pem(&pem).unwrap()))
}

/// The public half of one of them.
pub(crate) fn published_key(name: &str) -> PublicKey {
    let published = published_keys().into_iter().find(|key| key.name == name).unwrap();
    PublicKey::parse(&published.public_spki_pem).unwrap()
}

/// The key pairs of `keys.toml`.
pub(crate) fn published_keys() -> Vec<Case> {
    cases(include_str!("vectors/keys.toml"), 5)
}
