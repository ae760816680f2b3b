//! A page as the played browser has it: its text, and its forms.

use http::StatusCode;

use crate::demo::wire::Exchange;

use super::{BrowserError, resolve};

/// A page.
#[derive(Clone, Debug)]
pub struct Page {
    url: String,
    exchange: Exchange,
    opened: bool,
}

/// A form, read from the page's source.
#[derive(Debug)]
struct Form<'a> {
    action: String,
    fields: Vec<Field<'a>>,
}

#[derive(Debug)]
struct Field<'a> {
    element: &'a str,
    kind: String,
    name: String,
    value: String,
}

impl Page {
    pub(super) fn new(url: String, exchange: Exchange) -> Self {
        Self {
            url,
            exchange,
            opened: true,
        }
    }

    /// A page that the browser was told not to open, and the redirect that sent it there.
    pub(super) fn not_opened(url: String, redirect: Exchange) -> Self {
        Self {
            url,
            exchange: redirect,
            opened: false,
        }
    }

    /// Where it is.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The status of the answer that brought it; of the redirect, when it was not opened.
    pub fn status(&self) -> StatusCode {
        self.exchange.status
    }

    /// What a reader sees: the source without its tags, spaces collapsed.
    pub fn text(&self) -> String {
        let mut text = String::new();
        for piece in self.source().split('<').skip(1) {
            text.push(' ');
            text.push_str(piece.split_once('>').map_or("", |(_, text)| text));
        }
        unescape(&text).split_whitespace().collect::<Vec<_>>().join(" ")
    }

    /// Whether there is a button of this name.
    pub fn has_button(&self, name: &str) -> bool {
        self.forms().iter().any(|form| form.button(name).is_some())
    }

    /// Whether it asks for a password.
    pub fn asks_for_password(&self) -> bool {
        self.forms()
            .iter()
            .any(|form| form.named_by_kind("password").is_some())
    }

    /// The names of the user's and the password's field.
    pub fn sign_in_fields(&self) -> Option<(String, String)> {
        self.forms().iter().find_map(|form| {
            let password = form.named_by_kind("password")?;
            let user = form
                .named_by_kind("text")
                .or_else(|| form.named_by_kind("email"))?;
            Some((user.to_owned(), password.to_owned()))
        })
    }

    /// The URL and the pairs that a form sends: the form of the button, or else the one that has the first given field.
    /// A list is sent only when something was chosen from it.
    pub(super) fn form(
        &self,
        given: &[(&str, &str)],
        button: Option<&'static str>,
    ) -> Result<(String, Vec<(String, String)>), BrowserError> {
        let forms = self.forms();
        let form = forms.iter().find(|form| match (button, given.first()) {
            (Some(button), _) => form.button(button).is_some(),
            (None, Some((name, _))) => form.fields.iter().any(|field| field.name == *name),
            (None, None) => true,
        });
        let form = form.ok_or(BrowserError::Missing(button.unwrap_or("such form")))?;
        let chosen = |name: &str| {
            let value = given.iter().find(|(given, _)| *given == name);
            value.map(|(_, value)| (*value).to_owned())
        };
        let mut pairs: Vec<_> = form
            .fields
            .iter()
            .filter(|field| !field.name.is_empty() && field.is_sent())
            .filter_map(|field| {
                let prefilled = (field.element == "input").then(|| field.value.clone());
                Some((field.name.clone(), chosen(&field.name).or(prefilled)?))
            })
            .collect();
        pairs.extend(button.and_then(|name| form.button(name)));
        Ok((resolve(&self.url, &form.action), pairs))
    }

    fn forms(&self) -> Vec<Form<'_>> {
        let pieces = self.source().split("<form").skip(1);
        let pieces = pieces.map(|piece| piece.split_once("</form").map_or(piece, |(form, _)| form));
        pieces.map(Form::read).collect()
    }

    fn source(&self) -> &str {
        if self.opened { &self.exchange.body } else { "" }
    }
}

impl<'a> Form<'a> {
    fn read(source: &'a str) -> Self {
        let fields = source.split('<').skip(1).filter_map(|piece| {
            let element = ["input", "button", "select"]
                .into_iter()
                .find(|name| piece.starts_with(name))?;
            let tag = tag(piece);
            let kind = attribute(tag, "type");
            let usual = if element == "button" { "submit" } else { "text" };
            Some(Field {
                element,
                kind: kind.unwrap_or_else(|| usual.to_owned()),
                name: attribute(tag, "name").unwrap_or_default(),
                value: attribute(tag, "value").unwrap_or_default(),
            })
        });
        Self {
            action: attribute(tag(source), "action").unwrap_or_default(),
            fields: fields.collect(),
        }
    }

    fn button(&self, name: &str) -> Option<(String, String)> {
        let mut buttons = self.fields.iter().filter(|field| field.kind == "submit");
        let button = buttons.find(|field| field.name == name)?;
        Some((button.name.clone(), button.value.clone()))
    }

    fn named_by_kind(&self, kind: &str) -> Option<&str> {
        let mut fields = self
            .fields
            .iter()
            .filter(|field| field.kind == kind && field.element == "input");
        fields
            .find(|field| !field.name.is_empty())
            .map(|field| field.name.as_str())
    }
}

impl Field<'_> {
    fn is_sent(&self) -> bool {
        self.element != "button" && !matches!(self.kind.as_str(), "submit" | "button" | "reset" | "image")
    }
}

/// The text of a tag, up to its end.
fn tag(source: &str) -> &str {
    let mut quoted = None;
    for (at, character) in source.char_indices() {
        match (quoted, character) {
            (None, '"' | '\'') => quoted = Some(character),
            (Some(quote), _) if quote == character => quoted = None,
            (None, '>') => return &source[..at],
            _ => {}
        }
    }
    source
}

/// The value of an attribute, unescaped.
fn attribute(tag: &str, name: &str) -> Option<String> {
    let opening = format!(" {name}=\"");
    let tag = tag.replace(['\n', '\t'], " ");
    let start = tag.find(&opening)? + opening.len();
    let value = tag[start..].split('"').next()?;
    Some(unescape(value))
}

fn unescape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let escape = rest.find(';').and_then(|end| Some((entity(&rest[1..end])?, end)));
        if let Some((character, end)) = escape {
            out.push(character);
            rest = &rest[end + 1..];
        } else {
            out.push('&');
            rest = &rest[1..];
        }
    }
    out + rest
}

fn entity(name: &str) -> Option<char> {
    match name {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        "nbsp" => Some('\u{a0}'),
        "middot" => Some('·'),
        _ => {
            let code = name.strip_prefix('#')?;
            let code = match code.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                None => code.parse().ok()?,
            };
            char::from_u32(code)
        }
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderMap;

    use super::*;

    fn page(source: &str) -> Page {
        let exchange = Exchange {
            sent: String::new(),
            base_string: None,
            status: StatusCode::OK,
            headers: HeaderMap::new(),
            received_head: String::new(),
            body: source.to_owned(),
        };
        Page::new("http://h:1/oauth/authorize?oauth_token=t".to_owned(), exchange)
    }

    #[test]
    fn a_form_sends_its_hidden_fields_and_the_button() {
        let page = page(
            r#"<p>Hello &lt;<b>you</b>&gt; &amp; &#39;me&#39;</p>
            <form method="get" action="/elsewhere"><button name="other">x</button></form>
            <form method="post" action="authorize?a=1&amp;b=2">
              <input type="hidden" name="csrf" value="a&quot;&gt;b">
              <button type="submit" name="deny" value="1">Deny</button>
              <button name="approve" value="yes">Allow</button>
            </form>"#,
        );
        assert_eq!(page.text(), "Hello < you > & 'me' x Deny Allow");
        assert!(page.has_button("deny") && !page.has_button("csrf") && !page.asks_for_password());
        let (url, pairs) = page.form(&[], Some("approve")).unwrap();
        assert_eq!(url, "http://h:1/oauth/authorize?a=1&b=2");
        let expected = [("csrf", "a\">b"), ("approve", "yes")];
        assert!(pairs.iter().map(|(n, v)| (n.as_str(), v.as_str())).eq(expected));
        assert!(page.form(&[], Some("missing")).is_err());
    }

    #[test]
    fn a_sign_in_form_is_recognised() {
        let page = page(
            r#"<form action=""><input name="username" autocomplete="username">
            <input type="password" name="password"><button>Sign in</button></form>"#,
        );
        assert!(page.asks_for_password());
        let (user, password) = page.sign_in_fields().unwrap();
        let (url, pairs) = page.form(&[(&user, "alice"), (&password, "p w")], None).unwrap();
        assert_eq!(url, page.url());
        assert_eq!(pairs[1], ("password".to_owned(), "p w".to_owned()));
    }
}
