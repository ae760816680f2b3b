//! Which users exist, as far as the login method can say.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

use super::caller::CallingUser;

/// What a login method knows of a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// The user exists.
    Known(CallingUser),
    /// No such user, or not any more.
    Gone,
    /// The method cannot tell.
    CannotSay,
}

/// Answers which users exist. Made from the login method by whoever wires the parts.
#[derive(Clone)]
pub struct Directory(Arc<Lookup>);

type Lookup = dyn Fn(String) -> Pin<Box<dyn Future<Output = Standing> + Send>> + Send + Sync;

impl Directory {
    /// Takes the question as a function.
    pub fn new<F, Fut>(lookup: F) -> Self
    where
        F: Fn(String) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Standing> + Send + 'static,
    {
        Self(Arc::new(move |subject| Box::pin(lookup(subject))))
    }

    /// Asks about one user.
    pub async fn standing(&self, subject: &str) -> Standing {
        (self.0)(subject.to_owned()).await
    }
}

impl fmt::Debug for Directory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Directory")
    }
}
