//! `[branding]`: where the name comes from, and what is said of logos and colours.

use std::fs;

use insta::assert_snapshot;
use linkgate::branding::{Color, Logo};
use linkgate::setting::FileContent as _;
use proptest::prelude::*;

use super::{SMALLEST, Written, refused};

const SVG: &str = "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 3 1\"><path d=\"M0 0h3\"/></svg>";

#[test]
fn without_it_the_pages_are_ours_and_named_after_the_host() {
    let branding = Written::new(SMALLEST).load(&[]).unwrap().branding;
    assert_eq!(branding.name, "builds.example.com");
    assert!(branding.logo_file.is_none() && branding.accent.is_none());
}

#[test]
fn the_name_may_stand_in_two_places_and_one_wins() {
    let upstream = SMALLEST.replace("[upstream]", "[upstream]\nname = \"Old\"");
    let written = Written::new(&upstream);
    assert_eq!(written.load(&[]).unwrap().branding.name, "Old");
    let variable = [("LINKGATE__BRANDING__NAME", "New")];
    assert_eq!(written.load(&variable).unwrap().branding.name, "New");
    let both = Written::new(&format!("{upstream}[branding]\nname = \"New\"\n"));
    let config = both.load(&[]).unwrap();
    assert_eq!(config.branding.name, "New");
    assert_snapshot!(both.warned(), @r"
    linkgate.toml:12:1: branding.name: upstream.name is written too, and this one is used
        leave upstream.name out
    ");
}

#[test]
fn a_logo_is_read_when_the_configuration_is() {
    let written = Written::smallest_and("[branding]\nlogo_file = \"logo\"\n").with("logo", SVG);
    let logo = written.load(&[]).unwrap().branding.logo_file.unwrap();
    assert_eq!(logo.content.kind(), ("image/svg+xml", ".svg"));
    assert_eq!(written.warned(), "");
}

#[test]
fn what_is_no_logo_is_refused_with_what_to_do() {
    let text = "[branding]\nlogo_file = \"logo.png\"\n";
    let refusal = |content: &[u8]| {
        let written = Written::smallest_and(text);
        fs::write(written.path("logo.png"), content).unwrap();
        written.refused(&[])
    };
    assert_snapshot!(refused(text), @r"
    linkgate.toml:11:1: branding.logo_file: logo.png does not exist
        create it, or write another path; a relative one starts at the directory of the configuration
    ");
    assert_snapshot!(refusal(&vec![b' '; 256 * 1024 + 1]), @r"
    linkgate.toml:11:1: branding.logo_file: logo.png is too large
        at most 256 KiB are taken: make it smaller
    ");
    assert_snapshot!(refusal(b"\xff\xd8\xff\xe0"), @r"
    linkgate.toml:11:1: branding.logo_file: logo.png: it is a JPEG
        save it as PNG or SVG
    ");
    assert_snapshot!(refusal(b"\x89PNG\r\n\x1a\n\0\0"), @r"
    linkgate.toml:11:1: branding.logo_file: logo.png: it is a PNG that is cut off or damaged
        export it again
    ");
    assert_snapshot!(refusal(b"<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"3\"/>"), @r#"
    linkgate.toml:11:1: branding.logo_file: logo.png: it is an SVG without a viewBox, and cannot be made to fit
        write viewBox="0 0 width height" into its <svg>
    "#);
}

#[test]
fn a_colour_that_cannot_be_read_is_used_in_a_shade_that_can() {
    let accent = |colour: &str| Written::smallest_and(&format!("[branding]\naccent = \"{colour}\"\n"));
    assert_eq!(accent("#00695c").warned(), "");
    let yellow = accent("#ffcc00");
    assert_snapshot!(yellow.warned(), @r"
    linkgate.toml:11:1: branding.accent: #ffcc00 has a contrast of 1.4 on light pages, where letters need 4.5: #866b00 is used there
        write a darker one, or leave it so
    ");
    let used = yellow.load(&[]).unwrap().branding.accent.unwrap();
    assert_eq!(used.dark().accent.to_string(), "#ffcc00");
    assert_snapshot!(refused("[branding]\naccent = \"#158\"\n"), @r##"
    linkgate.toml:11:1: branding.accent: "#158" cannot be used
        write it as "#1558c0"
    "##);
}

#[test]
fn the_hardest_colours_become_legible() {
    for (given, light, dark) in [
        ("#000000", "#000000", "#8e8e8e"),
        ("#ffffff", "#6e6e6e", "#ffffff"),
    ] {
        let accent = Color::parse(given).unwrap();
        let used = [accent.light(), accent.dark()].map(|palette| palette.accent.to_string());
        assert_eq!(used, [light, dark]);
    }
}

#[test]
fn a_colour_is_written_in_one_way() {
    assert_eq!(Color::parse("#1558C0").unwrap().to_string(), "#1558c0");
    for text in "|#|1558c0|#158|#1558c|#1558c00|#1558cg|#+558c0|#\u{e9}58c0|red|#1558c0c0".split('|') {
        assert_eq!(Color::parse(text), None, "{text}");
    }
}

#[test]
fn other_files_are_no_logos() {
    const NEITHER: &str = "It is neither a PNG nor an SVG: save it as one of them.";
    const NO_VIEW: &str = "It is an SVG without a viewBox";
    const DAMAGED: &str = "It is an SVG that is not well-formed XML: export it again.";
    let svg = |attributes: &str, rest: &str| {
        format!("<svg xmlns='http://www.w3.org/2000/svg'{attributes}>{rest}").into_bytes()
    };
    for (bytes, sentence) in [
        (
            b"\xff\xd8\xff\xe0".to_vec(),
            "It is a JPEG: save it as PNG or SVG.",
        ),
        (b"RIFF....WEBP".to_vec(), "It is a WebP"),
        (b"\x89PNG\r\n\x1a\n".to_vec(), "It is a PNG that is cut off"),
        (b"".to_vec(), NEITHER),
        (b"logo".to_vec(), NEITHER),
        (b"<html><svg/></html>".to_vec(), NEITHER),
        (b"\xff\xfe\0\0".to_vec(), NEITHER),
        (svg(" viewBox='0 0 1 1'", "<g>"), DAMAGED),
        (svg(" viewBox='0 0 1 1'", "</g></svg>"), DAMAGED),
        (
            b"<svg viewBox='0 0 1 1'/>".to_vec(),
            "It is an SVG that does not say so",
        ),
        (svg("", "</svg>"), NO_VIEW),
        (svg(" viewBox='0 0 0 1'", "</svg>"), NO_VIEW),
        (svg(" viewBox='0 0 1'", "</svg>"), NO_VIEW),
        (svg(" viewBox='0 0 NaN 1'", "</svg>"), NO_VIEW),
    ] {
        let error = Logo::parse(bytes).unwrap_err();
        assert!(error.starts_with(sentence), "{sentence}: {error}");
    }
}

#[test]
fn png_and_svg_are_known_by_their_content() {
    let png = b"\x89PNG\r\n\x1a\n....IEND\xae\x42\x60\x82".to_vec();
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

/// The contrast ratio of two colours (Web Content Accessibility Guidelines 2.2).
fn contrast(one: [u8; 3], other: [u8; 3]) -> f64 {
    let luminance = |color: [u8; 3]| {
        let linear = color.map(|part| match f64::from(part) / 255.0 {
            part if part <= 0.04045 => part / 12.92,
            part => ((part + 0.055) / 1.055).powf(2.4),
        });
        0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    };
    let (one, other) = (luminance(one), luminance(other));
    (one.max(other) + 0.05) / (one.min(other) + 0.05)
}

fn rgb(text: &str) -> [u8; 3] {
    [1, 3, 5].map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap())
}

/// Three published ratios: black on white, and two greys of the documents about the guidelines.
#[test]
fn contrasts_are_those_of_the_guidelines() {
    for (one, other, expected) in [
        ("#000000", "#ffffff", "21.00"),
        ("#767676", "#ffffff", "4.54"),
        ("#ffffff", "#777777", "4.48"),
    ] {
        assert_eq!(format!("{:.2}", contrast(rgb(one), rgb(other))), expected);
    }
}

const STYLE: &str = include_str!("../../../templates/style.css");

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4096))]

    /// Of the stylesheet, the accent is on `ground`, `sheet` and `hover`, and `text` on `hover`.
    #[test]
    fn every_colour_becomes_legible_and_a_legible_one_stays(given: [u8; 3]) {
        let [red, green, blue] = given;
        let accent = Color::parse(&format!("#{red:02x}{green:02x}{blue:02x}")).unwrap();
        let (light, rest) = STYLE.split_once("@media (prefers-color-scheme: dark)").unwrap();
        let dark = rest.split_once("\n}").unwrap().0;
        for (css, palette) in [(light, accent.light()), (dark, accent.dark())] {
            let [ground, sheet, text] = ["ground", "sheet", "text"].map(|name| {
                let (_, rest) = css.split_once(&format!("--{name}: ")).unwrap();
                rgb(rest)
            });
            let [used, on_accent, hover] =
                [palette.accent, palette.on_accent, palette.hover].map(|color| rgb(&color.to_string()));
            let others = [ground, sheet, hover, on_accent];
            prop_assert!(others.iter().all(|other| contrast(used, *other) >= 4.5), "{:?}", palette);
            prop_assert!(contrast(text, hover) >= 4.5, "{:?}", palette);
            if used != given {
                let share = |at: usize| (u32::from(sheet[at]) * 231 + u32::from(given[at]) * 24 + 127) / 255;
                let hover = [0, 1, 2].map(|at| u8::try_from(share(at)).unwrap());
                let others = [ground, sheet, hover, on_accent];
                prop_assert!(others.iter().any(|other| contrast(given, *other) < 4.5), "{:?}", palette);
            }
        }
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200), start in 0_usize..3) {
        let begun = [
            &b"\x89PNG\r\n\x1a\n"[..],
            b"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 1 1'>",
            b"",
        ];
        let _ = Logo::parse([begun[start], &bytes].concat());
    }
}
