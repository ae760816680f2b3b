//! Reads what another side sends as XML, and writes none: elements with text in them, found by tag name.
//!
//! A document type is refused, and with it every entity that it could declare, inside the document or elsewhere; so is
//! any reference but the five of XML itself and those by number. Nothing is ever fetched.

use quick_xml::Reader;
use quick_xml::escape::resolve_xml_entity;
use quick_xml::events::{BytesRef, Event};

/// Why a document of another side is not taken: a sentence.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unreadable(pub String);

/// The elements of a document that have no others in them, in their order: tag name and text.
#[derive(Clone, Debug)]
pub(super) struct Document(Vec<(String, String)>);

impl Document {
    /// Reads a document whose outermost element has this tag name, whatever its namespace.
    pub(super) fn read(body: &[u8], root: &str) -> Result<Self, Unreadable> {
        let text = std::str::from_utf8(body).map_err(|_| refuse("It is not UTF-8."))?;
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let mut reader = Reader::from_str(text);
        let mut walk = Walk::default();
        loop {
            let event = reader.read_event();
            match event.map_err(|_| refuse("It is not well-formed XML."))? {
                Event::Eof => break,
                event => walk.step(&event, root)?,
            }
        }
        if walk.open.is_empty() && walk.begun {
            Ok(Self(walk.leaves))
        } else {
            Err(refuse("It is not well-formed XML."))
        }
    }

    /// The text of the first element of a tag name.
    pub(super) fn first(&self, name: &str) -> Option<&str> {
        let named = self.0.iter().find(|(leaf, _)| leaf == name);
        named.map(|(_, text)| text.as_str())
    }

    /// The texts of all elements of a tag name.
    #[cfg(test)]
    pub(super) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let named = self.0.iter().filter(move |(leaf, _)| leaf == name);
        named.map(|(_, text)| text.as_str())
    }
}

/// Where the reader is.
#[derive(Debug, Default)]
struct Walk {
    open: Vec<Open>,
    begun: bool,
    leaves: Vec<(String, String)>,
}

/// An element that was begun and not ended.
#[derive(Debug)]
struct Open {
    name: String,
    text: String,
    is_leaf: bool,
}

impl Walk {
    fn step(&mut self, event: &Event<'_>, root: &str) -> Result<(), Unreadable> {
        match event {
            Event::DocType(_) => {
                return Err(refuse(
                    "It has a document type, which could declare entities: it is not read.",
                ));
            }
            Event::Start(tag) => self.begin(tag.local_name().as_ref(), root)?,
            Event::Empty(tag) => {
                self.begin(tag.local_name().as_ref(), root)?;
                self.end();
            }
            Event::End(_) => self.end(),
            Event::Text(text) => self.push(&text.xml10_content())?,
            Event::CData(text) => self.push(&text.xml10_content())?,
            Event::GeneralRef(reference) => {
                let resolved = resolved(reference)?;
                self.push(&resolved)?;
            }
            Event::Comment(_) | Event::PI(_) | Event::Decl(_) | Event::Eof => {}
        }
        Ok(())
    }

    fn begin(&mut self, name: &str, root: &str) -> Result<(), Unreadable> {
        if let Some(parent) = self.open.last_mut() {
            parent.is_leaf = false;
        } else if self.begun {
            return Err(refuse("It is not well-formed XML."));
        } else if name != root {
            return Err(Unreadable(format!("Its outermost element is not <{root}>.")));
        }
        if self.open.len() == DEEPEST || self.leaves.len() == MOST {
            return Err(refuse("It has more elements than such a document has."));
        }
        self.begun = true;
        self.open.push(Open {
            name: name.to_owned(),
            text: String::new(),
            is_leaf: true,
        });
        Ok(())
    }

    fn end(&mut self) {
        if let Some(ended) = self.open.pop().filter(|ended| ended.is_leaf) {
            self.leaves.push((ended.name, ended.text));
        }
    }

    fn push(&mut self, text: &str) -> Result<(), Unreadable> {
        match self.open.last_mut() {
            Some(open) => open.text.push_str(text),
            None if text.trim().is_empty() => {}
            None => return Err(refuse("It is not well-formed XML.")),
        }
        Ok(())
    }
}

fn resolved(reference: &BytesRef<'_>) -> Result<String, Unreadable> {
    let unknown = || refuse("It refers to an entity, and none is resolved.");
    let by_number = reference.resolve_char_ref().map_err(|_| unknown())?;
    match by_number {
        Some(character) => Ok(character.to_string()),
        None => resolve_xml_entity(reference)
            .map(str::to_owned)
            .ok_or_else(unknown),
    }
}

fn refuse(why: &str) -> Unreadable {
    Unreadable(why.to_owned())
}

/// How deep elements may stand in each other, and how many there may be.
const DEEPEST: usize = 16;
const MOST: usize = 1000;

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Vec<(String, String)>, String> {
        let document = Document::read(text.as_bytes(), "a");
        document.map(|document| document.0).map_err(|error| error.0)
    }

    #[test]
    fn elements_are_found_by_tag_name() {
        let text = "<?xml version=\"1.0\"?><!-- x --><n:a xmlns:n='u'><b>1 &amp; &#50;</b><c><b><![CDATA[<3>]]></b></c><d/></n:a>\n";
        let document = Document::read(text.as_bytes(), "a").unwrap();
        assert_eq!(document.all("b").collect::<Vec<_>>(), ["1 & 2", "<3>"]);
        assert_eq!((document.first("d"), document.first("c")), (Some(""), None));
    }

    #[test]
    fn document_types_and_entities_are_refused() {
        for text in [
            "<!DOCTYPE a [<!ENTITY x SYSTEM \"file:///etc/passwd\">]><a><b>&x;</b></a>",
            "<!DOCTYPE a SYSTEM \"http://evil.example/a.dtd\"><a><b>1</b></a>",
            "<!DOCTYPE a [<!ENTITY x \"ha\"><!ENTITY y \"&x;&x;\">]><a><b>&y;</b></a>",
            "<!doctype html><html><body>sign in</body></html>",
        ] {
            assert!(read(text).unwrap_err().contains("document type"), "{text}");
        }
        assert!(read("<a><b>&nbsp;</b></a>").unwrap_err().contains("entity"));
        assert!(read("<a><b>&#0;</b></a>").is_err());
    }

    #[test]
    fn what_is_not_one_whole_document_is_refused() {
        for text in [
            "",
            "plain",
            "{\"json\":1}",
            "<a>",
            "<a></b>",
            "<a/><a/>",
            "<a/>x",
            "x<a/>",
            "<b/>",
            "<html><body/></html>",
            "<a><b></a></b>",
            &"<a>".repeat(100),
            &format!("<a>{}</a>", "<b/>".repeat(2000)),
        ] {
            assert!(read(text).is_err(), "{}", &text[..text.len().min(40)]);
        }
        assert!(Document::read(b"<a>\xff</a>", "a").is_err());
    }
}
