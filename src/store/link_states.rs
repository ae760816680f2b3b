//! How our calls of other sides went.

use std::collections::BTreeMap;

use crate::model::LinkState;
use crate::oauth::Timestamp;

use super::{Store, StoreError, on};

impl Store {
    /// Notes that an answer came, by how much their clock is ahead, and, when the call went well, that too. To the minute:
    /// within one minute the first call alone writes.
    pub async fn note_link_answer(
        &self,
        link: &str,
        at: Timestamp,
        clock_difference: Option<i64>,
        success: bool,
    ) -> Result<(), StoreError> {
        let minute = at.bucket() * 60;
        on!(write & self.pool, |db| {
            sqlx::query(
                "insert into link_states (link, reached_at, success_at, clock_difference) values ($1, $2, $3, $4) \
                 on conflict (link) do update set reached_at = excluded.reached_at, \
                 success_at = coalesce(excluded.success_at, link_states.success_at), \
                 clock_difference = coalesce(excluded.clock_difference, link_states.clock_difference) \
                 where link_states.reached_at is null or link_states.reached_at < excluded.reached_at \
                 or (excluded.success_at is not null \
                 and (link_states.success_at is null or link_states.success_at < excluded.success_at))",
            )
            .bind(link)
            .bind(minute)
            .bind(success.then_some(minute))
            .bind(clock_difference)
            .execute(db)
            .await?;
        });
        Ok(())
    }

    /// Notes what was wrong with a call. The same thing within a minute is written once.
    pub async fn note_link_problem(
        &self,
        link: &str,
        at: Timestamp,
        problem: &str,
    ) -> Result<(), StoreError> {
        on!(write & self.pool, |db| {
            sqlx::query(
                "insert into link_states (link, problem_at, problem) values ($1, $2, $3) \
                 on conflict (link) do update set problem_at = excluded.problem_at, problem = excluded.problem \
                 where link_states.problem is null or link_states.problem <> excluded.problem \
                 or link_states.problem_at < excluded.problem_at - 59",
            )
            .bind(link)
            .bind(at.seconds())
            .bind(problem)
            .execute(db)
            .await?;
        });
        Ok(())
    }

    /// How the calls of each link went.
    pub async fn link_states(&self) -> Result<BTreeMap<String, LinkState>, StoreError> {
        let rows: Vec<Row> = on!(&self.pool, |db| {
            sqlx::query_as(
                "select link, reached_at, success_at, problem_at, problem, clock_difference from link_states",
            )
            .fetch_all(db)
            .await?
        });
        Ok(rows.into_iter().map(Row::into_state).collect())
    }
}

/// A row as it stands in the table.
#[derive(sqlx::FromRow)]
struct Row {
    link: String,
    reached_at: Option<i64>,
    success_at: Option<i64>,
    problem_at: Option<i64>,
    problem: Option<String>,
    clock_difference: Option<i64>,
}

impl Row {
    fn into_state(self) -> (String, LinkState) {
        let state = LinkState {
            reached_at: self.reached_at.map(Timestamp::from_seconds),
            success_at: self.success_at.map(Timestamp::from_seconds),
            problem: self.problem_at.map(Timestamp::from_seconds).zip(self.problem),
            clock_difference: self.clock_difference,
        };
        (self.link, state)
    }
}
