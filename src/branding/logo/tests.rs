//! What is a logo, how large it is shown, and what is said of everything else.

use proptest::prelude::*;

use super::*;

#[test]
fn a_png_is_known_by_its_content_and_never_enlarged() {
    for ((width, height), shown) in [
        ((400, 100), (160, 40)),
        ((1000, 100), (240, 24)),
        ((512, 512), (40, 40)),
        ((16, 16), (16, 16)),
        ((4000, 1), (240, 1)),
        ((1, 4000), (1, 40)),
    ] {
        let logo = Logo::read(png(width, height)).unwrap();
        assert_eq!((logo.content_type(), logo.ending()), ("image/png", ".png"));
        assert_eq!(logo.shown_size(), shown, "{width} x {height}");
        assert_eq!(logo.missing(), None);
    }
}

#[test]
fn an_svg_fills_the_room_that_there_is() {
    for (view, shown) in [
        ("0 0 32 32", (40, 40)),
        ("0,0,320,40", (240, 30)),
        (" -5 -5\n10.5 , 5.25 ", (80, 40)),
    ] {
        let logo = svg(&format!("viewBox='{view}'"), "<path d='M0 0'/>").unwrap();
        assert_eq!((logo.content_type(), logo.ending()), ("image/svg+xml", ".svg"));
        assert_eq!(logo.shown_size(), shown, "{view}");
        assert_eq!(logo.missing(), None);
    }
}

#[test]
fn what_programs_write_around_an_svg_is_taken() {
    let drawn = "\u{feff}<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!-- Made by hand -->\n\
        <!DOCTYPE svg PUBLIC \"-//W3C//DTD SVG 1.1//EN\" \"http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd\" [\n\
        <!ENTITY ns_svg \"http://www.w3.org/2000/svg\">]>\n\
        <svg:svg xmlns:svg=\"&ns_svg;\" viewBox=\"0 0 4 1\"><svg:g/></svg:svg>\n";
    assert_eq!(Logo::read(drawn.into()).unwrap().shown_size(), (160, 40));
}

#[test]
fn what_an_img_leaves_out_is_remarked_on() {
    for (inside, missing) in [
        ("<script>alert(1)</script>", "<script>"),
        ("<g><foreignObject/></g>", "<foreignObject>"),
        ("<g onload='alert(1)'/>", "onload=\"...\""),
        ("<image href='https://elsewhere.example/x.png'/>", "href=\"...\""),
        ("<use xlink:href='other.svg#a'/>", "xlink:href=\"...\""),
    ] {
        let logo = svg("viewBox='0 0 1 1'", inside).unwrap();
        assert_eq!(logo.missing(), Some(missing), "{inside}");
    }
    let fine = "<use href='#a'/><image href='data:image/png;base64,AA'/><a href='https://example.com'/>";
    assert_eq!(svg("viewBox='0 0 1 1'", fine).unwrap().missing(), None);
}

#[test]
fn everything_else_is_refused_with_what_to_do() {
    let said = |bytes: &[u8]| Logo::read(bytes.to_vec()).unwrap_err().to_string();
    let cut = &png(4, 4)[..30];
    let neither = "It is neither a PNG nor an SVG: save it as one of them.";
    let damaged = "It is an SVG that is not well-formed XML: export it again.";
    for (bytes, sentence) in [
        (&b"\xff\xd8\xff\xe0"[..], "It is a JPEG: save it as PNG or SVG."),
        (b"RIFF....WEBP", "It is a WebP: save it as PNG or SVG."),
        (cut, "It is a PNG that is cut off or damaged: export it again."),
        (
            &png(0, 4),
            "It is a PNG that is cut off or damaged: export it again.",
        ),
        (b"", neither),
        (b"logo", neither),
        (b"<html><svg/></html>", neither),
        (b"\xff\xfe\0\0", neither),
        (
            b"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 1 1'><g>",
            damaged,
        ),
        (
            b"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 1 1'></g></svg>",
            damaged,
        ),
    ] {
        assert_eq!(said(bytes), sentence, "{}", String::from_utf8_lossy(bytes));
    }
    for without in [
        "",
        "viewBox='0 0 0 1'",
        "viewBox='0 0 1'",
        "viewBox='0 0 NaN 1'",
        "width='4' height='4'",
    ] {
        let said = svg(without, "").unwrap_err().to_string();
        assert!(
            said.starts_with("It is an SVG without a viewBox"),
            "{without}: {said}"
        );
    }
    assert!(said(b"<svg viewBox='0 0 1 1'/>").starts_with("It is an SVG that does not say so"));
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200), start in 0_usize..3) {
        let begun: &[u8] = [PNG, b"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 1 1'>", b""][start];
        let _ = Logo::read([begun, bytes.as_slice()].concat());
    }
}

fn svg(attributes: &str, inside: &str) -> Result<Logo, UnfitLogo> {
    Logo::read(format!("<svg xmlns='{SVG_NAMESPACE}' {attributes}>{inside}</svg>").into())
}

/// As much of a PNG as is looked at.
fn png(width: u32, height: u32) -> Vec<u8> {
    let head = [PNG, b"\0\0\0\rIHDR"].concat();
    [
        &head[..],
        &width.to_be_bytes(),
        &height.to_be_bytes(),
        b"\x08\x06\0\0\0....\0\0\0\0",
        PNG_END,
    ]
    .concat()
}
