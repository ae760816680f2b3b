//! Which requests need OAuth.

use http::{HeaderMap, Method};

use super::pattern::{CaseSensitivity, PathPattern};
use super::{identity_headers, path_readings};

/// What a route asks of a request, the stricter the greater.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum RouteMode {
    /// `none`: OAuth is not looked at. Identity headers are stripped all the same.
    None,
    /// `oauth-or-passthrough`: a request without OAuth passes as nobody; one with OAuth must be admitted.
    #[default]
    OAuthOrPassthrough,
    /// `oauth`: a request without OAuth is challenged.
    OAuth,
}

impl RouteMode {
    /// Reads a mode. The error is a sentence that says what to write instead.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        match text {
            "none" => Ok(Self::None),
            "oauth-or-passthrough" => Ok(Self::OAuthOrPassthrough),
            "oauth" => Ok(Self::OAuth),
            _ => Err(r#"write "oauth", "oauth-or-passthrough" or "none""#),
        }
    }
}

/// A rule about some paths.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// The paths.
    pub path: PathPattern,
    /// The methods; empty: all. `GET` includes `HEAD`.
    pub methods: Vec<Method>,
    /// What it asks.
    pub mode: RouteMode,
}

impl Route {
    fn matches(&self, method: &str, path: &str, case: CaseSensitivity) -> bool {
        let listed = |m: &Method| m == method || (m == Method::GET && method == "HEAD");
        (self.methods.is_empty() || self.methods.iter().any(listed)) && self.path.matches(path, case)
    }
}

/// All rules: the first that matches decides, and without any a request is `oauth-or-passthrough`.
///
/// The application, not we, decides what a path means: it may decode it once or twice, resolve dot segments, merge
/// slashes, drop `;parameters`, or ignore case. So the rules are asked about every such reading, and **the strictest answer
/// counts**: `/static/..%2fapi` is guarded like `/api`, and never as free as `/static`. Only this question reads the path
/// so; what is signed and what is passed on remains as it arrived.
///
/// The same goes for the method where a header may override it (`X-HTTP-Method-Override`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Routes(Vec<Route>);

impl Routes {
    /// Takes the rules in their order.
    pub fn new(rules: Vec<Route>) -> Self {
        Self(rules)
    }

    /// What a request must bring.
    pub fn mode(&self, method: &Method, path: &str, headers: &HeaderMap) -> RouteMode {
        if self.0.is_empty() {
            return RouteMode::default();
        }
        let methods = effective_methods(method, headers);
        if path_readings::is_canonical(path) {
            return self.strictest(&methods, path);
        }
        match path_readings::interpretations(path) {
            Some(readings) => readings
                .iter()
                .map(|path| self.strictest(&methods, path))
                .max()
                .unwrap_or_default(),
            None => RouteMode::OAuth,
        }
    }

    fn strictest(&self, methods: &[String], path: &str) -> RouteMode {
        let mut strictest = RouteMode::None;
        for method in methods {
            for case in [CaseSensitivity::Sensitive, CaseSensitivity::Insensitive] {
                let first = self.0.iter().find(|route| route.matches(method, path, case));
                strictest = strictest.max(first.map_or_else(RouteMode::default, |route| route.mode));
            }
        }
        strictest
    }
}

/// Headers by which some frameworks let a request change its method, in the spelling of [`identity_headers::normal`].
pub(super) const METHOD_OVERRIDES: [&str; 3] =
    ["x-http-method-override", "x-http-method", "x-method-override"];

fn effective_methods(method: &Method, headers: &HeaderMap) -> Vec<String> {
    let mut methods = vec![method.as_str().to_owned()];
    let overriding = headers
        .iter()
        .filter(|(name, _)| METHOD_OVERRIDES.contains(&&*identity_headers::normalize(name.as_str())));
    let claims = overriding.filter_map(|(_, value)| value.to_str().ok());
    for claim in claims.chain([method.as_str()]) {
        let claim = claim.trim().to_ascii_uppercase();
        if !methods.contains(&claim) {
            methods.push(claim);
        }
    }
    methods
}

#[cfg(test)]
mod tests {
    use super::*;

    fn route(path: &str, methods: &[Method], mode: RouteMode) -> Route {
        Route {
            path: PathPattern::parse(path).unwrap(),
            methods: methods.to_vec(),
            mode,
        }
    }

    fn routes() -> Routes {
        Routes::new(vec![
            route("/api/public", &[], RouteMode::None),
            route("/api/**", &[], RouteMode::OAuth),
            route("/static/**", &[], RouteMode::None),
            route("/jobs", &[Method::POST], RouteMode::OAuth),
            route("/jobs", &[Method::GET], RouteMode::None),
        ])
    }

    fn mode(method: &str, path: &str) -> RouteMode {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        routes().mode(&method, path, &HeaderMap::new())
    }

    #[test]
    fn the_first_rule_decides() {
        assert_eq!(mode("GET", "/api/public"), RouteMode::None);
        assert_eq!(mode("GET", "/api/private"), RouteMode::OAuth);
        assert_eq!(mode("GET", "/static/a.css"), RouteMode::None);
        assert_eq!(mode("GET", "/"), RouteMode::OAuthOrPassthrough);
        assert_eq!(mode("POST", "/jobs"), RouteMode::OAuth);
        assert_eq!(mode("GET", "/jobs"), RouteMode::None);
        assert_eq!(mode("HEAD", "/jobs"), RouteMode::None);
        assert_eq!(mode("PUT", "/jobs"), RouteMode::OAuthOrPassthrough);
        assert_eq!(mode("post", "/jobs"), RouteMode::OAuth);
    }

    #[test]
    fn no_spelling_escapes_a_strict_rule() {
        for path in [
            "/static/../api/x",
            "/static/..%2fapi/x",
            "/static/%2e%2e/api/x",
            "/static/%252e%252e%252fapi",
            "/static/..;/api/x",
            "/static\\..\\api",
            "//api/x",
            "/API/x",
            "/%41PI/x",
            "/./api",
            "/api/public/../x",
            "/api;x/y",
            "/api//public/..",
        ] {
            assert_eq!(mode("GET", path), RouteMode::OAuth, "{path}");
        }
    }

    #[test]
    fn no_spelling_gains_a_free_rule() {
        for path in ["/STATIC/a", "//static/a", "/static/../a", "/static%2fa"] {
            assert_eq!(mode("GET", path), RouteMode::OAuthOrPassthrough, "{path}");
        }
        assert_eq!(mode("GET", "/api/public/"), RouteMode::OAuth);
    }

    #[test]
    fn an_overriding_method_counts() {
        let headers = HeaderMap::from_iter([(
            http::HeaderName::from_static("x-http-method-override"),
            http::HeaderValue::from_static("post"),
        )]);
        assert_eq!(routes().mode(&Method::GET, "/jobs", &headers), RouteMode::OAuth);
    }

    #[test]
    fn without_rules_everything_is_a_question() {
        let routes = Routes::default();
        assert_eq!(
            routes.mode(&Method::GET, "/x", &HeaderMap::new()),
            RouteMode::OAuthOrPassthrough
        );
    }
}
