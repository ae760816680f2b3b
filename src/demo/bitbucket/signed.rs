//! A call gets its signature: in the form body at the token endpoints, in the header at the application.

use http::header;

use crate::clock::Clock;
use crate::demo::{fresh, wire};
use crate::oauth::{Origin, RequestSigner, SignError, UnsignedRequest, authorization_header, encoding};

/// Where the protocol parameters go (RFC 5849, section 3.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Placement {
    /// All in the form body, and no `Authorization` at all: Bitbucket's token calls.
    Body,
    /// In `Authorization: OAuth` without a realm, and only `oauth_*` there: Bitbucket's calls of the application.
    Header,
}

/// Signs a call, at this moment.
pub fn sign(
    signer: &RequestSigner,
    request: &UnsignedRequest,
    placement: Placement,
    clock: &Clock,
) -> Result<wire::Call, SignError> {
    let pairs = signer.sign(request, clock.now(), &fresh())?;
    let (_signature, covered) = pairs.split_last().unzip();
    let base_string = request.base_string(covered.unwrap_or_default())?;
    let (origin, target) = Origin::split(&request.url).map_err(SignError::Url)?;

    let mut headers = vec![("accept", "*/*".to_owned())];
    let mut body = String::from_utf8_lossy(&request.form).into_owned();
    match placement {
        Placement::Body => body = encoding::form_body(pairs),
        Placement::Header => {
            let authorization = authorization_header::authorization(pairs, None);
            headers.push((header::AUTHORIZATION.as_str(), authorization));
        }
    }
    if !body.is_empty() {
        headers.push(("content-type", "application/x-www-form-urlencoded".to_owned()));
    }
    Ok(wire::Call {
        method: request.method.clone(),
        authority: origin.authority().to_owned(),
        target: target.to_owned(),
        headers,
        body,
        base_string: Some(base_string),
    })
}
