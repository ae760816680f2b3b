//! The states of a sign-in that the application, a proxy or an identity provider takes part in.

use http::StatusCode;

use super::super::texts::{SigningIn as Texts, Words};
use super::Notice;

/// What to tell somebody whose sign-in goes by others than us.
#[derive(Debug)]
pub(in crate::web) enum SigningIn {
    /// Whoever should say it does not answer, or answers nonsense.
    SourceFailed {
        /// For the log.
        why: String,
        /// The path of the login page.
        again: String,
    },
    /// Back from the application's sign-in, and still nobody.
    StillNobody {
        /// The path of the login page.
        again: String,
    },
    /// The proxy in front names nobody, or it was not the proxy who did.
    NotNamed {
        /// For the log.
        why: String,
        /// The path of the login page.
        again: String,
    },
    /// An answer without the cookie of its trip.
    TripUnknown {
        /// The path of the login page.
        again: String,
    },
    /// An answer for the second time.
    TripUsed {
        /// The path of the login page.
        again: String,
    },
    /// An answer after more than ten minutes.
    TripLate {
        /// The path of the login page.
        again: String,
    },
    /// The provider said no.
    TripRefused {
        /// Its word for it.
        said: String,
        /// The path of the login page.
        again: String,
    },
    /// An answer that is not believed.
    TripWrong {
        /// For the log.
        why: String,
        /// The path of the login page.
        again: String,
    },
    /// The user wants to be another one, which only the application can do.
    AnotherAccount {
        /// Where a browser signs out of it.
        leave: Option<String>,
        /// The path of the login page.
        again: String,
    },
    /// A form led here, and the way on leads to another site, where no form of ours may lead.
    Pause {
        /// The path of the login page.
        again: String,
    },
}

impl SigningIn {
    pub(super) const fn words<'t>(&self, texts: &'t Texts) -> &'t Words {
        match self {
            Self::SourceFailed { .. } => &texts.source_failed,
            Self::StillNobody { .. } => &texts.still_nobody,
            Self::NotNamed { .. } => &texts.not_named,
            Self::TripUnknown { .. } => &texts.trip_unknown,
            Self::TripUsed { .. } => &texts.trip_used,
            Self::TripLate { .. } => &texts.trip_late,
            Self::TripRefused { .. } => &texts.trip_refused,
            Self::TripWrong { .. } => &texts.trip_wrong,
            Self::AnotherAccount { .. } => &texts.another_account,
            Self::Pause { .. } => &texts.pause,
        }
    }

    pub(super) const fn status(&self) -> StatusCode {
        match self {
            Self::SourceFailed { .. } => StatusCode::SERVICE_UNAVAILABLE,
            Self::TripUsed { .. } => StatusCode::CONFLICT,
            Self::TripLate { .. } => StatusCode::GONE,
            Self::AnotherAccount { .. } | Self::Pause { .. } => StatusCode::OK,
            _ => StatusCode::FORBIDDEN,
        }
    }

    pub(super) const fn again(&self) -> &String {
        match self {
            Self::SourceFailed { again, .. }
            | Self::StillNobody { again }
            | Self::NotNamed { again, .. }
            | Self::TripUnknown { again }
            | Self::TripUsed { again }
            | Self::TripLate { again }
            | Self::TripRefused { again, .. }
            | Self::TripWrong { again, .. }
            | Self::AnotherAccount { again, .. }
            | Self::Pause { again } => again,
        }
    }

    /// Where to sign out of the application.
    pub(super) fn leave(&self) -> Option<&str> {
        match self {
            Self::AnotherAccount { leave, .. } => leave.as_deref(),
            _ => None,
        }
    }

    pub(super) const fn is_of_note(&self) -> bool {
        !matches!(self, Self::AnotherAccount { .. } | Self::Pause { .. })
    }

    /// One line. What others sent is in it quoted, and never a code, a token or a signature.
    pub(super) fn log(&self, reference: &str, title: &str) {
        match self {
            Self::SourceFailed { why, .. } => tracing::error!(reference, why, "page {reference}: {why}"),
            Self::NotNamed { why, .. } | Self::TripWrong { why, .. } => {
                tracing::warn!(reference, why, "page {reference}: {why}");
            }
            Self::TripRefused { said, .. } => {
                tracing::info!(reference, ?said, "page {reference}: the provider said {said:?}");
            }
            _ => tracing::info!(reference, "page {reference}: {title}"),
        }
    }
}

impl From<SigningIn> for Notice {
    fn from(state: SigningIn) -> Self {
        Self::SigningIn(state)
    }
}
