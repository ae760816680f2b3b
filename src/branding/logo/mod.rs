//! The picture above every page: PNG or SVG, whatever its file is called.
//!
//! It is shown by `<img>`, in which an SVG runs no script and fetches nothing; what would do so is remarked on, because
//! it will be missing. Its proportions are known before it is loaded, so that nothing moves when it is.

use std::fmt;

use bytes::Bytes;
use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

/// A picture that can be shown.
#[derive(Clone)]
pub struct Logo {
    kind: Kind,
    bytes: Bytes,
    /// In the picture's own units.
    proportions: (f64, f64),
    missing: Option<String>,
}

/// Why something is no logo: a sentence that says, after a colon, what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct UnfitLogo(String);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Png,
    Svg,
}

impl Logo {
    /// In bytes. Every visitor loads it.
    pub const LARGEST: u64 = 256 * 1024;

    /// Reads a picture, whose kind its content decides.
    pub fn read(bytes: Vec<u8>) -> Result<Self, UnfitLogo> {
        let (kind, (proportions, missing)) = if bytes.starts_with(PNG) {
            (Kind::Png, (png_size(&bytes)?, None))
        } else if let Some((_, name)) = OTHERS.iter().find(|(magic, _)| bytes.starts_with(magic)) {
            return Err(UnfitLogo(format!("It is {name}: save it as PNG or SVG.")));
        } else {
            (Kind::Svg, read_svg(&bytes)?)
        };
        Ok(Self {
            kind,
            bytes: bytes.into(),
            proportions,
            missing,
        })
    }

    /// The file.
    pub fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// The media type.
    pub const fn content_type(&self) -> &'static str {
        match self.kind {
            Kind::Png => "image/png",
            Kind::Svg => "image/svg+xml",
        }
    }

    /// How its name ends.
    pub const fn ending(&self) -> &'static str {
        match self.kind {
            Kind::Png => ".png",
            Kind::Svg => ".svg",
        }
    }

    /// What of it will not be shown, and is not dangerous either.
    pub fn missing(&self) -> Option<&str> {
        self.missing.as_deref()
    }

    /// Width and height on a page, in CSS pixels: as large as fits, and no pixel of a PNG larger than it is.
    pub fn shown_size(&self) -> (u32, u32) {
        let (width, height) = self.proportions;
        let fitting = (WIDEST / width).min(HIGHEST / height);
        let scale = match self.kind {
            Kind::Png => fitting.min(1.0),
            Kind::Svg => fitting,
        };
        (pixels(width * scale), pixels(height * scale))
    }
}

impl fmt::Debug for Logo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (width, height) = self.proportions;
        write!(
            f,
            "Logo({:?}, {width} x {height}, {} bytes)",
            self.kind,
            self.bytes.len()
        )
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "both ends are given"
)]
fn pixels(length: f64) -> u32 {
    length.round().clamp(1.0, WIDEST) as u32
}

/// The size in the first chunk of a PNG (ISO/IEC 15948, 11.2.2).
fn png_size(bytes: &[u8]) -> Result<(f64, f64), UnfitLogo> {
    let length = |at: usize| {
        let four = bytes.get(at..at + 4)?;
        let length = u32::from_be_bytes(four.try_into().ok()?);
        (1..=1 << 15).contains(&length).then(|| f64::from(length))
    };
    let has_end = bytes.windows(PNG_END.len()).any(|part| part == PNG_END);
    match (length(16), length(20)) {
        (Some(width), Some(height)) if bytes.get(12..16) == Some(b"IHDR") && has_end => Ok((width, height)),
        _ => Err(UnfitLogo(
            "It is a PNG that is cut off or damaged: export it again.".to_owned(),
        )),
    }
}

/// The proportions of an SVG, and what of it an `<img>` leaves out.
fn read_svg(bytes: &[u8]) -> Result<((f64, f64), Option<String>), UnfitLogo> {
    let neither = || UnfitLogo("It is neither a PNG nor an SVG: save it as one of them.".to_owned());
    let damaged = || UnfitLogo("It is an SVG that is not well-formed XML: export it again.".to_owned());
    let text = std::str::from_utf8(bytes).map_err(|_| neither())?;
    let mut reader = Reader::from_str(text.trim_start_matches('\u{feff}').trim_start());
    let (mut view, mut missing, mut depth) = (None, None, 0_u32);
    loop {
        let event = reader
            .read_event()
            .map_err(|_| if view.is_some() { damaged() } else { neither() })?;
        match &event {
            Event::Eof if depth == 0 && view.is_some() => break,
            Event::Eof => return Err(if view.is_some() { damaged() } else { neither() }),
            Event::Start(tag) | Event::Empty(tag) => {
                if view.is_none() {
                    view = Some(view_box(tag).ok_or_else(neither)??);
                }
                missing = missing.or_else(|| left_out(tag));
            }
            _ => {}
        }
        match event {
            Event::Start(_) => depth += 1,
            Event::End(_) => depth = depth.checked_sub(1).ok_or_else(damaged)?,
            _ => {}
        }
    }
    view.map(|view| (view, missing)).ok_or_else(neither)
}

/// Width and height of the `viewBox` of an `<svg>`; `None`: it is another element.
fn view_box(tag: &BytesStart<'_>) -> Option<Result<(f64, f64), UnfitLogo>> {
    let value = |name: &str| {
        let mut attributes = tag.attributes().flatten();
        let found = attributes.find(|attribute| attribute.key.as_ref() == name)?;
        Some(found.value.into_owned())
    };
    if tag.local_name().as_ref() != "svg" {
        return None;
    }
    // Some programs declare an entity for the name.
    let names = tag
        .attributes()
        .flatten()
        .filter(|attribute| attribute.key.as_ref().starts_with("xmlns"));
    let mut names = names.map(|attribute| attribute.value.into_owned());
    if !names.any(|name| name == SVG_NAMESPACE || name.starts_with('&')) {
        return Some(Err(UnfitLogo(format!(
            "It is an SVG that does not say so, and no browser shows it: write xmlns=\"{SVG_NAMESPACE}\" into its <svg>."
        ))));
    }
    let numbers = value("viewBox").map(|text| {
        let parts = text
            .split([' ', ',', '\t', '\n', '\r'])
            .filter(|part| !part.is_empty());
        parts.map(str::parse::<f64>).collect::<Result<Vec<_>, _>>()
    });
    Some(match numbers {
        Some(Ok(numbers)) if numbers.len() == 4 && numbers[2..].iter().all(|length| *length > 0.0 && length.is_finite()) => {
            Ok((numbers[2], numbers[3]))
        }
        _ => Err(UnfitLogo(
            "It is an SVG without a viewBox, and cannot be made to fit: write viewBox=\"0 0 width height\" into its <svg>."
                .to_owned(),
        )),
    })
}

/// What an `<img>` leaves out of an SVG.
fn left_out(tag: &BytesStart<'_>) -> Option<String> {
    if ["script", "foreignObject"].contains(&tag.local_name().as_ref()) {
        return Some(format!("<{}>", tag.local_name().as_ref()));
    }
    let mut attributes = tag.attributes().flatten();
    attributes.find_map(|attribute| {
        let name = attribute.key.local_name();
        let fetches = name.as_ref() == "href"
            && !attribute.value.starts_with(['#', 'd'])
            && tag.local_name().as_ref() != "a";
        (fetches || name.as_ref().starts_with("on")).then(|| format!("{}=\"...\"", attribute.key.as_ref()))
    })
}

/// In CSS pixels.
const WIDEST: f64 = 240.0;
const HIGHEST: f64 = 40.0;

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";
const PNG_END: &[u8] = b"IEND\xae\x42\x60\x82";
const SVG_NAMESPACE: &str = "http://www.w3.org/2000/svg";

/// What else people have.
const OTHERS: [(&[u8], &str); 7] = [
    (b"\xff\xd8\xff", "a JPEG"),
    (b"GIF8", "a GIF"),
    (b"RIFF", "a WebP"),
    (b"\0\0\x01\0", "an icon of Windows"),
    (b"\x1f\x8b", "compressed (an .svgz?)"),
    (b"%PDF", "a PDF"),
    (b"BM", "a bitmap of Windows"),
];

#[cfg(test)]
mod tests;
