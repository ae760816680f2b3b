//! What can be in the way of a link to another side.

use http::StatusCode;

use super::super::texts::{Notices, Words};

/// What is in the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::web) enum LinkTrouble {
    /// No link has this name.
    Unknown,
    /// This browser's user did not begin it, it is over, or it took too long.
    Lost,
    /// The user said no at the other side.
    Denied,
    /// The other side refuses us.
    Refused,
    /// The other side does not answer.
    Silent,
    /// Somebody would be sent back to a place that is no link of ours.
    NoWayBack,
}

impl LinkTrouble {
    /// All of them.
    #[cfg(test)]
    pub(super) const ALL: [Self; 6] = [
        Self::Unknown,
        Self::Lost,
        Self::Denied,
        Self::Refused,
        Self::Silent,
        Self::NoWayBack,
    ];

    pub(super) const fn words(self, texts: &Notices) -> &Words {
        match self {
            Self::Unknown => &texts.link_unknown,
            Self::Lost => &texts.link_lost,
            Self::Denied => &texts.link_denied,
            Self::Refused => &texts.link_refused,
            Self::Silent => &texts.link_silent,
            Self::NoWayBack => &texts.link_no_way_back,
        }
    }

    pub(super) const fn status(self) -> StatusCode {
        match self {
            Self::Unknown => StatusCode::NOT_FOUND,
            Self::Lost => StatusCode::GONE,
            Self::Denied => StatusCode::OK,
            Self::Refused => StatusCode::BAD_GATEWAY,
            Self::Silent => StatusCode::SERVICE_UNAVAILABLE,
            Self::NoWayBack => StatusCode::FORBIDDEN,
        }
    }
}
