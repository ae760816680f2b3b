//! Routes: which requests need OAuth.

use http::header::{ACCESS_CONTROL_REQUEST_METHOD, AUTHORIZATION, COOKIE, ORIGIN};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use serde::{Deserialize, Deserializer};

use super::{identity_headers, path_readings};
use crate::setting::deserialize_text;

/// What a route requires of a request, from lax to strict.
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq, PartialOrd, Ord)]
#[serde(rename_all = "kebab-case")]
pub enum RouteMode {
    /// `none`: OAuth parameters are ignored. Identity headers are removed all the same.
    None,
    /// `oauth-or-passthrough`: an unsigned request passes without an identity; a signed one must be valid.
    #[default]
    #[serde(rename = "oauth-or-passthrough")]
    OAuthOrPassthrough,
    /// `oauth`: an unsigned request is rejected with a challenge.
    #[serde(rename = "oauth")]
    OAuth,
}

/// The mode of some paths and methods.
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct Route {
    /// The paths.
    pub path: PathPattern,
    /// The methods; all of them if empty. `GET` includes `HEAD`.
    #[cfg_attr(test, schemars(with = "Vec<String>"))]
    #[serde(default, deserialize_with = "methods")]
    pub methods: Vec<Method>,
    /// What is required there.
    #[serde(rename = "auth")]
    pub mode: RouteMode,
    /// Whether CORS preflight requests pass without OAuth.
    #[serde(default)]
    pub preflight: bool,
}

impl Route {
    fn takes(&self, method: &str) -> bool {
        let is_listed = |m: &Method| m == method || (m == Method::GET && method == "HEAD");
        self.methods.is_empty() || self.methods.iter().any(is_listed)
    }

    fn mode_of(&self, is_preflight: bool) -> RouteMode {
        if self.preflight && is_preflight {
            return self.mode.min(RouteMode::OAuthOrPassthrough);
        }
        self.mode
    }

    /// Whether this route matches every request that the other one matches.
    pub fn covers(&self, other: &Self) -> bool {
        let takes_all = !other.methods.is_empty() && other.methods.iter().all(|m| self.takes(m.as_str()));
        (self.methods.is_empty() || takes_all) && self.path.covers(&other.path)
    }
}

fn methods<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Method>, D::Error> {
    struct Written(Method);
    deserialize_text! {
        Written = |text| {
            let is_upper = !text.bytes().any(|byte| byte.is_ascii_lowercase());
            let method = is_upper.then(|| Method::from_bytes(text.as_bytes()).ok()).flatten();
            method.map(Self).ok_or("write a method in capitals: \"GET\"")
        };
    }
    let methods = Vec::<Written>::deserialize(deserializer)?;
    Ok(methods.into_iter().map(|Written(method)| method).collect())
}

/// All routes. The first one that matches a request decides; without a match, its mode is `oauth-or-passthrough`.
///
/// The upstream may interpret a path in another way than it is written: decode it, resolve dot segments, merge slashes,
/// drop `;parameters`, or ignore case. The routes are matched against every such interpretation, and **the strictest
/// mode counts**: `/static/..%2fapi` is as strict as `/api`. The same holds for the methods that an override header
/// (`X-HTTP-Method-Override`) names. The request itself is signed and forwarded as it arrived.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Routes(pub Vec<Route>);

impl Routes {
    /// Whether the pattern of a route begins with a path.
    pub fn name(&self, path: &str) -> bool {
        self.0.iter().any(|route| route.path.as_str().starts_with(path))
    }

    /// The strictest mode over all interpretations of a request; `oauth` if its path has too many.
    pub fn mode(&self, method: &Method, path: &str, headers: &HeaderMap) -> RouteMode {
        if self.0.is_empty() {
            return RouteMode::default();
        }
        let methods = effective_methods(method, headers);
        let is_preflight = methods == ["OPTIONS"] && is_preflight(headers);
        let strictest = |path: &str| self.strictest(&methods, path, is_preflight);
        if path_readings::is_canonical(path) {
            return strictest(path);
        }
        let Some(paths) = path_readings::interpretations(path) else {
            return RouteMode::OAuth;
        };
        let modes = paths.iter().map(|path| strictest(path));
        modes.max().unwrap_or_default()
    }

    fn strictest(&self, methods: &[String], path: &str, is_preflight: bool) -> RouteMode {
        let mut strictest = RouteMode::None;
        for method in methods {
            for is_equal in [str::eq, str::eq_ignore_ascii_case] {
                let matches = |route: &&Route| route.takes(method) && route.path.matches(path, is_equal);
                let first = self.0.iter().find(matches);
                let mode = first.map_or_else(RouteMode::default, |route| route.mode_of(is_preflight));
                strictest = strictest.max(mode);
            }
        }
        strictest
    }
}

/// Whether an `OPTIONS` request asks what another origin may do (Fetch, section 3.3.3). Browsers send it without credentials.
fn is_preflight(headers: &HeaderMap) -> bool {
    let has = |name: HeaderName| headers.contains_key(name);
    has(ORIGIN) && has(ACCESS_CONTROL_REQUEST_METHOD) && !has(AUTHORIZATION) && !has(COOKIE)
}

/// Headers by which some frameworks replace the method, as [`identity_headers::normalize`] spells them.
pub(super) const METHOD_OVERRIDES: [&str; 3] =
    ["x-http-method-override", "x-http-method", "x-method-override"];

/// The values of the headers that replace the method, in any spelling that CGI folds.
pub(super) fn method_overrides(headers: &HeaderMap) -> impl Iterator<Item = &HeaderValue> {
    let is_override =
        |name: &HeaderName| METHOD_OVERRIDES.contains(&&*identity_headers::normalize(name.as_str()));
    let overriding = headers.iter().filter(move |(name, _)| is_override(name));
    overriding.map(|(_, value)| value)
}

/// The methods as which the upstream may treat a request: its own, its own in upper case, and the overriding ones.
fn effective_methods(method: &Method, headers: &HeaderMap) -> Vec<String> {
    let mut methods = vec![method.as_str().to_owned(), method.as_str().to_ascii_uppercase()];
    let overriding = method_overrides(headers).filter_map(|value| value.to_str().ok());
    methods.extend(overriding.map(|method| method.trim().to_ascii_uppercase()));
    methods.dedup();
    methods
}

/// A pattern of paths: `/exact`, `/one/*/segment`, or `/subtree/**`.
///
/// `*` matches one segment that is not empty. `**` may only be the last segment, and matches the path before it and
/// everything below.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathPattern(String);

impl PathPattern {
    /// Parses a pattern. The error tells the administrator what to write instead.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let path = text
            .strip_prefix('/')
            .ok_or("a path begins with a slash: write /api/**")?;
        if !path.bytes().all(|b| b.is_ascii_graphic()) {
            return Err("write a path as it stands in a URL: other characters percent-encoded");
        }
        if path.contains(['?', '#', '\\', ';', '%']) {
            return Err(
                "write the plain path, without query, fragment, backslash, semicolon or percent-encoding",
            );
        }
        let mut segments: Vec<_> = path.split('/').collect();
        if segments.last() == Some(&"**") || segments.last() == Some(&"") {
            // `/**` and `/` are complete, and `/a/` differs from `/a`.
            segments.pop();
        }
        for segment in segments {
            match segment {
                "" => return Err("a path has no empty segments: write one slash"),
                "." | ".." => return Err("a pattern has no dot segments: write the path itself"),
                "*" => {}
                _ if segment.contains('*') => {
                    return Err("a star stands for a whole segment: write * or, at the end, **");
                }
                _ => {}
            }
        }
        Ok(Self(text.to_owned()))
    }

    /// The pattern as it was configured.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether every path that the other pattern matches is matched by this one.
    pub fn covers(&self, other: &Self) -> bool {
        let (path, is_subtree) = other.parts();
        self.covers_path(path, is_subtree, str::eq)
    }

    fn matches(&self, path: &str, is_equal: fn(&str, &str) -> bool) -> bool {
        path.starts_with('/') && self.covers_path(path, false, is_equal)
    }

    fn covers_path(&self, path: &str, is_subtree: bool, is_equal: fn(&str, &str) -> bool) -> bool {
        let (own, is_own_subtree) = self.parts();
        let mut segments = path.split('/');
        let is_covered = |expected: &str| match (segments.next(), expected) {
            (None, _) => false,
            (Some(segment), "*") => !segment.is_empty(),
            (Some(segment), _) => is_equal(expected, segment),
        };
        own.split('/').all(is_covered) && (is_own_subtree || (!is_subtree && segments.next().is_none()))
    }

    /// The pattern without `/**`, and whether it had it.
    fn parts(&self) -> (&str, bool) {
        match self.0.strip_suffix("/**") {
            Some(above) => (above, true),
            None => (self.0.as_str(), false),
        }
    }
}

deserialize_text! { PathPattern = Self::parse; }
