//! The picture above every page: PNG or SVG, by its content. `<img>` runs no script of an SVG and fetches nothing for it.

use bytes::Bytes;
use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use crate::setting::FileContent;

/// A picture that can be shown.
#[derive(Clone, Debug)]
pub struct Logo {
    bytes: Bytes,
}

impl FileContent for Logo {
    /// Every visitor loads it.
    const MAX_BYTES: u64 = 256 * 1024;

    fn parse(bytes: Vec<u8>) -> Result<Self, String> {
        if let Some((_, kind)) = OTHERS.iter().find(|(magic, _)| bytes.starts_with(magic)) {
            return Err(format!("It is {kind}: save it as PNG or SVG."));
        }
        if !bytes.starts_with(PNG) {
            check_svg(&bytes)?;
        } else if !bytes.windows(PNG_END.len()).any(|part| part == PNG_END) {
            return Err("It is a PNG that is cut off or damaged: export it again.".to_owned());
        }
        Ok(Self { bytes: bytes.into() })
    }
}

impl Logo {
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

/// Checks for well-formed XML, whose root is an `<svg>` of the right namespace with a `viewBox`.
fn check_svg(bytes: &[u8]) -> Result<(), &'static str> {
    let text = std::str::from_utf8(bytes).map_err(|_| NEITHER)?;
    let mut reader = Reader::from_str(text.trim_start_matches('\u{feff}').trim_start());
    let (mut depth, mut error) = (0_u32, NEITHER);
    loop {
        let event = reader.read_event().map_err(|_| error)?;
        if let Event::Start(tag) | Event::Empty(tag) = &event
            && error == NEITHER
        {
            check_root(tag)?;
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

fn check_root(tag: &BytesStart<'_>) -> Result<(), &'static str> {
    if tag.local_name().as_ref() != "svg" {
        return Err(NEITHER);
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
    match (is_svg, is_scalable) {
        (true, true) => Ok(()),
        (false, _) => Err(NO_NAMESPACE),
        (true, false) => Err(NO_VIEW_BOX),
    }
}

const NEITHER: &str = "It is neither a PNG nor an SVG: save it as one of them.";
const DAMAGED: &str = "It is an SVG that is not well-formed XML: export it again.";
const NO_NAMESPACE: &str = "It is an SVG that does not say so, and no browser shows it: write xmlns=\"http://www.w3.org/2000/svg\" into its <svg>.";
const NO_VIEW_BOX: &str = "It is an SVG without a viewBox, and cannot be made to fit: write viewBox=\"0 0 width height\" into its <svg>.";

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";
const PNG_END: &[u8] = b"IEND\xae\x42\x60\x82";
const NAMESPACE: &str = "http://www.w3.org/2000/svg";

/// The first bytes of other files.
const OTHERS: [(&[u8], &str); 6] = [
    (b"\xff\xd8\xff", "a JPEG"),
    (b"GIF8", "a GIF"),
    (b"RIFF", "a WebP"),
    (b"\0\0\x01\0", "an icon of Windows"),
    (b"\x1f\x8b", "compressed (an .svgz?)"),
    (b"%PDF", "a PDF"),
];
