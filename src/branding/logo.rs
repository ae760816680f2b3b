//! The picture above every page: PNG or SVG, by its content. `<img>` runs no script of an SVG and fetches nothing for it.

use std::fmt;

use bytes::Bytes;
use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

/// A picture that can be shown.
#[derive(Clone)]
pub struct Logo {
    bytes: Bytes,
}

/// Why a file cannot be a logo: what is wrong and, after a colon, what to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct LogoError(&'static str);

impl Logo {
    /// The largest file, in bytes: every visitor loads it.
    pub const MAX_BYTES: u64 = 256 * 1024;

    /// Checks a picture.
    ///
    /// # Errors
    ///
    /// It is of another type, damaged, or an SVG that cannot be scaled.
    pub fn parse(bytes: Vec<u8>) -> Result<Self, LogoError> {
        let other = OTHERS.iter().find(|(magic, _)| bytes.starts_with(magic));
        if let Some((_, sentence)) = other {
            return Err(LogoError(sentence));
        }
        if !bytes.starts_with(PNG) {
            check_svg(&bytes)?;
        } else if !bytes.windows(PNG_END.len()).any(|part| part == PNG_END) {
            return Err(LogoError(
                "It is a PNG that is cut off or damaged: export it again.",
            ));
        }
        Ok(Self { bytes: bytes.into() })
    }

    /// The file.
    pub fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// The media type, and the extension of the file's name.
    pub fn kind(&self) -> (&'static str, &'static str) {
        if self.bytes.starts_with(PNG) {
            ("image/png", ".png")
        } else {
            ("image/svg+xml", ".svg")
        }
    }
}

impl fmt::Debug for Logo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Logo({}, {} bytes)", self.kind().0, self.bytes.len())
    }
}

/// Well-formed XML, whose root is an `<svg>` of the right namespace with a `viewBox`.
fn check_svg(bytes: &[u8]) -> Result<(), LogoError> {
    const NEITHER: LogoError = LogoError("It is neither a PNG nor an SVG: save it as one of them.");
    const DAMAGED: LogoError = LogoError("It is an SVG that is not well-formed XML: export it again.");
    let text = std::str::from_utf8(bytes).map_err(|_| NEITHER)?;
    let mut reader = Reader::from_str(text.trim_start_matches('\u{feff}').trim_start());
    let (mut depth, mut error) = (0_u32, NEITHER);
    loop {
        let event = reader.read_event().map_err(|_| error)?;
        if let Event::Start(tag) | Event::Empty(tag) = &event
            && error == NEITHER
        {
            check_root(tag).ok_or(NEITHER)??;
            error = DAMAGED;
        }
        match event {
            Event::Start(_) => depth += 1,
            Event::End(_) => depth = depth.checked_sub(1).ok_or(DAMAGED)?,
            Event::Eof if depth == 0 && error == DAMAGED => return Ok(()),
            Event::Eof => return Err(error),
            _ => {}
        }
    }
}

/// `None`: the element is not an `<svg>`.
fn check_root(tag: &BytesStart<'_>) -> Option<Result<(), LogoError>> {
    if tag.local_name().as_ref() != "svg" {
        return None;
    }
    let mut attributes = tag.attributes().flatten();
    // Some programs declare an entity for the name of the namespace.
    let is_svg = attributes.clone().any(|attribute| {
        let is_namespace = attribute.key.as_ref().starts_with("xmlns");
        is_namespace && (&*attribute.value == NAMESPACE || attribute.value.starts_with('&'))
    });
    let view_box = attributes.find(|attribute| attribute.key.as_ref() == "viewBox");
    let is_scalable = view_box.is_some_and(|view_box| {
        let is_separator = |c: char| c == ',' || c.is_ascii_whitespace();
        let numbers = view_box.value.split(is_separator).filter(|part| !part.is_empty());
        let numbers: Result<Vec<f64>, _> = numbers.map(str::parse).collect();
        numbers.is_ok_and(|numbers| numbers.len() == 4 && numbers[2] > 0.0 && numbers[3] > 0.0)
    });
    Some(match (is_svg, is_scalable) {
        (true, true) => Ok(()),
        (false, _) => Err(LogoError(
            "It is an SVG that does not say so, and no browser shows it: write xmlns=\"http://www.w3.org/2000/svg\" into its <svg>.",
        )),
        (true, false) => Err(LogoError(
            "It is an SVG without a viewBox, and cannot be made to fit: write viewBox=\"0 0 width height\" into its <svg>.",
        )),
    })
}

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";
const PNG_END: &[u8] = b"IEND\xae\x42\x60\x82";
const NAMESPACE: &str = "http://www.w3.org/2000/svg";

/// The beginnings of other files, and what to do with them.
const OTHERS: [(&[u8], &str); 6] = [
    (b"\xff\xd8\xff", "It is a JPEG: save it as PNG or SVG."),
    (b"GIF8", "It is a GIF: save it as PNG or SVG."),
    (b"RIFF", "It is a WebP: save it as PNG or SVG."),
    (b"\0\0\x01\0", "It is an icon of Windows: save it as PNG or SVG."),
    (
        b"\x1f\x8b",
        "It is compressed (an .svgz?): save it as PNG or SVG.",
    ),
    (b"%PDF", "It is a PDF: save it as PNG or SVG."),
];

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn png_and_svg_are_known_by_their_content() {
        let png = [PNG, b"....", PNG_END].concat();
        assert_eq!(Logo::parse(png).unwrap().kind(), ("image/png", ".png"));
        for svg in [
            "<svg xmlns='http://www.w3.org/2000/svg' viewBox=' -5 -5\n10.5 , 5.25 '><path d='M0 0'/></svg>",
            "\u{feff}<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!-- Made by hand -->\n\
             <!DOCTYPE svg PUBLIC \"-//W3C//DTD SVG 1.1//EN\" \"http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd\" [\n\
             <!ENTITY ns_svg \"http://www.w3.org/2000/svg\">]>\n\
             <svg:svg xmlns:svg=\"&ns_svg;\" viewBox=\"0 0 4 1\"><svg:g/></svg:svg>\n",
        ] {
            let logo = Logo::parse(svg.into()).unwrap();
            assert_eq!(logo.kind(), ("image/svg+xml", ".svg"));
        }
    }

    #[test]
    fn everything_else_is_refused_with_what_to_do() {
        for (bytes, sentence) in [
            (&b"\xff\xd8\xff\xe0"[..], "It is a JPEG"),
            (b"RIFF....WEBP", "It is a WebP"),
            (PNG, "It is a PNG that is cut off"),
            (b"", "It is neither"),
            (b"logo", "It is neither"),
            (b"<html><svg/></html>", "It is neither"),
            (b"\xff\xfe\0\0", "It is neither"),
            (
                b"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 1 1'><g>",
                "It is an SVG that is not well-formed",
            ),
            (
                b"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 1 1'></g></svg>",
                "It is an SVG that is not well-formed",
            ),
            (b"<svg viewBox='0 0 1 1'/>", "It is an SVG that does not say so"),
            (
                b"<svg xmlns='http://www.w3.org/2000/svg'/>",
                "It is an SVG without a viewBox",
            ),
            (
                b"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 0 1'/>",
                "It is an SVG without a viewBox",
            ),
            (
                b"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 1'/>",
                "It is an SVG without a viewBox",
            ),
            (
                b"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 NaN 1'/>",
                "It is an SVG without a viewBox",
            ),
        ] {
            let said = Logo::parse(bytes.to_vec()).unwrap_err().to_string();
            assert!(
                said.starts_with(sentence),
                "{}: {said}",
                String::from_utf8_lossy(bytes)
            );
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200), start in 0_usize..3) {
            let begun: &[u8] = [PNG, b"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 1 1'>", b""][start];
            let _ = Logo::parse([begun, bytes.as_slice()].concat());
        }
    }
}
