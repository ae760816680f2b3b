//! What users and administrators see of access tokens, and revocation.

use std::sync::Arc;

use crate::model::{AccessToken, Consumer};
use crate::oauth::Token;
use crate::store::{Actor, Revoke, Search, StoreError};

use super::Provider;

/// An access token, and the consumer that holds it.
#[derive(Clone, Debug)]
pub struct Grant {
    /// The access token.
    pub token: AccessToken,
    /// Who holds it; `None`: a consumer that is not there any more.
    pub consumer: Option<Arc<Consumer>>,
}

impl Grant {
    /// The consumer's name, as people know it.
    pub fn consumer_name(&self) -> &str {
        let key = self.token.consumer.as_str();
        self.consumer.as_ref().map_or(key, |consumer| &consumer.name)
    }
}

impl Provider {
    /// Lists what a user has connected, the newest first.
    pub async fn connections(&self, subject: &str) -> Result<Vec<Grant>, StoreError> {
        let tokens = self.store.connections(subject, self.clock.now()).await?;
        self.with_consumers(tokens).await
    }

    /// Lists all consumers, for an administrator.
    pub async fn consumers(&self) -> Result<Vec<Consumer>, StoreError> {
        self.store.consumers().await
    }

    /// Whether a token is an access token: a link that leads to a question with one is a mistake.
    pub async fn is_access_token(&self, token: &Token) -> Result<bool, StoreError> {
        Ok(self.store.access_token(token).await?.is_some())
    }

    /// Finds access tokens for an administrator, expired and revoked ones too.
    pub async fn search(&self, search: &Search) -> Result<Vec<Grant>, StoreError> {
        let tokens = self.store.search_access_tokens(search).await?;
        self.with_consumers(tokens).await
    }

    /// Revokes access tokens. Every replica knows within a second.
    pub async fn revoke(&self, which: Revoke<'_>, by: Actor<'_>) -> Result<Vec<AccessToken>, StoreError> {
        self.store.revoke(which, by, self.clock.now()).await
    }

    async fn with_consumers(&self, tokens: Vec<AccessToken>) -> Result<Vec<Grant>, StoreError> {
        let mut connections = Vec::with_capacity(tokens.len());
        for token in tokens {
            let consumer = self.cache.consumer(&token.consumer).await?;
            connections.push(Grant { token, consumer });
        }
        Ok(connections)
    }
}
