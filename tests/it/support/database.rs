//! A PostgreSQL database of a test's own, in the server that `tests/run` starts.

use std::env;

use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _};

/// Creates an empty database; returns its URL.
pub(crate) async fn create() -> String {
    let server = env::var("LINKGATE_TEST_POSTGRES").unwrap_or_else(|_| {
        panic!("LINKGATE_TEST_POSTGRES is not set: export LINKGATE_TEST_POSTGRES=$(tests/postgres start)")
    });
    let options: PgConnectOptions = server.parse().unwrap();
    let name = format!("linkgate_{:016x}", rand::random::<u64>());
    let mut connection: PgConnection = options.connect().await.unwrap();
    sqlx::query(AssertSqlSafe(format!("create database {name}")))
        .execute(&mut connection)
        .await
        .unwrap();
    connection.close().await.unwrap();
    let (address, parameters) = server.split_once('?').unwrap_or((&server, ""));
    let (address, _) = address.rsplit_once('/').unwrap();
    format!(
        "{address}/{name}{}{parameters}",
        if parameters.is_empty() { "" } else { "?" }
    )
}
