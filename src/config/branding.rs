//! `[branding]`: what an installation's pages look like.

use crate::branding::{Accent, Branding, Colour, Logo};

use super::remark::Wrong;
use super::section::Section;

/// Reads the section. Without a name of its own it takes the one of `[upstream]`, and without that the public host.
pub(super) fn read(section: &Section<'_>, upstream_name: Option<String>, public_host: &str) -> Branding {
    let name: Option<String> = section.get("name");
    if name.is_some() && upstream_name.is_some() {
        section.warn(
            "name",
            "upstream.name is written too, and this one is used",
            "leave upstream.name out",
        );
    }
    Branding {
        name: name.or(upstream_name).unwrap_or_else(|| public_host.to_owned()),
        logo: read_logo(section),
        accent: read_accent(section),
    }
}

fn read_logo(section: &Section<'_>) -> Option<Logo> {
    const KEY: &str = "logo_file";
    let bytes = section.bytes(KEY, Logo::LARGEST)?;
    let logo = Logo::read(bytes)
        .map_err(|unfit| section.wrong_as_said(KEY, &unfit.to_string()))
        .ok()?;
    if let Some(missing) = logo.missing() {
        section.warn(
            KEY,
            format!("it has {missing}, which browsers leave out of a picture"),
            "see that it looks right, or export it without",
        );
    }
    Some(logo)
}

fn read_accent(section: &Section<'_>) -> Option<Accent> {
    const KEY: &str = "accent";
    let given = section.parsed(KEY, |text| {
        let wrong = || Wrong::new(format!("{text:?} is not a colour"), "write it as \"#1558c0\"");
        Colour::parse(text).ok_or_else(wrong)
    })?;
    let accent = Accent::new(given);
    let used = accent.light().accent;
    if used != given {
        section.warn(
            KEY,
            format!(
                "{given} has a contrast of {:.1} on light pages, where letters need 4.5: {used} is used there",
                accent.contrast_on_light(),
            ),
            "write a darker one, or leave it so",
        );
    }
    Some(accent)
}
