//! Who this installation is.

use crate::applinks::PeerId;

use super::{Store, StoreError, on};

impl Store {
    /// The id of this installation: `new` when it has none yet. Replicas that start together agree on one.
    pub async fn installation_id(&self, new: &PeerId) -> Result<PeerId, StoreError> {
        on!(write & self.pool, |db| {
            sqlx::query("insert into installation (one, id) values (1, $1) on conflict do nothing")
                .bind(new.as_str())
                .execute(db)
                .await?;
        });
        let id: String = on!(&self.pool, |db| {
            sqlx::query_scalar("select id from installation where one = 1")
                .fetch_one(db)
                .await?
        });
        PeerId::parse(&id).ok_or_else(|| StoreError::inconsistent("installation", "the id is no UUID"))
    }
}
