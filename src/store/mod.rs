//! SQL, and nothing but SQL.
use crate::model::{AccessToken, User};
use crate::oauth::{Timestamp, Token};

/// Why the store could not answer.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database refused or could not be reached.
    #[error("the database failed")]
    Database(#[from] sqlx::Error),
}
/// s
#[derive(Clone, Debug)]
pub struct Store;
/// b
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BrowserSession {
    /// u
    pub user: User,
    /// c
    pub created_at: Timestamp,
    /// s
    pub seen_at: Timestamp,
    /// e
    pub expires_at: Timestamp,
}
impl Store {
    /// a
    pub async fn add_session(&self, _: &Token, _: &BrowserSession) -> Result<(), StoreError> { todo!() }
    /// a
    pub async fn session(&self, _: &Token) -> Result<Option<BrowserSession>, StoreError> { todo!() }
    /// a
    pub async fn touch_session(&self, _: &Token, _: Timestamp) -> Result<(), StoreError> { todo!() }
    /// a
    pub async fn remove_session(&self, _: &Token) -> Result<(), StoreError> { todo!() }
    /// a
    pub async fn access_token(&self, _: &Token) -> Result<Option<AccessToken>, StoreError> { todo!() }
}
/// k
#[derive(Debug)]
pub struct Keyring;
impl Keyring {
    /// t
    pub fn new_token(&self, rng: &mut impl rand::CryptoRng) -> Token { Token::generate("", rng) }
    /// m
    pub fn mac(&self, _purpose: &str, _parts: &[&[u8]]) -> [u8; 32] { todo!() }
    /// m
    pub fn mac_matches(&self, _purpose: &str, _parts: &[&[u8]], _mac: &[u8]) -> bool { todo!() }
}
