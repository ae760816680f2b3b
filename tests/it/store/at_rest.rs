use std::fs;
use std::os::unix::fs::PermissionsExt;

use linkgate::model::{BrowserSession, SessionId};

use super::*;

on_both! {
    async fn no_secret_and_no_token_is_in_any_table(db: Database) {
        let store = open_with_consumers(&db).await;
        let keyring = db.keyring();
        let (asked, token, session, handle) = (approved(&db, &store).await, token(&db), SessionId::new(token(&db)), token(&db));
        store.exchange(&asked, &key("a"), NOW, &token, &access(handle.as_str()), None).await.unwrap().unwrap();
        let browser = BrowserSession { user: user("alice"), created_at: NOW, seen_at: NOW, expires_at: NOW.plus(9) };
        store.add_session(&session, &browser, None).await.unwrap();
        let secrets = [
            asked.as_str().to_owned(),
            token.as_str().to_owned(),
            session.as_str().to_owned(),
            keyring.token_secret(&asked).unwrap().expose().to_owned(),
            keyring.token_secret(&token).unwrap().expose().to_owned(),
            keyring.verifier(&asked, "alice").unwrap().expose().to_owned(),
            keyring.session_handle(handle.as_str()).unwrap().expose().to_owned(),
            "shared secret of a".to_owned(),
            keyring.to_text().expose().lines().last().unwrap()[5..].to_owned(),
        ];
        let rows = everything_in(&db).await;
        assert!(rows.contains("alice Example"), "{rows}");
        for secret in secrets {
            let hex = secret.bytes().fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"));
            assert!(!rows.contains(&secret), "{secret}");
            assert!(!rows.to_lowercase().contains(&hex), "{secret}");
        }
    }
}

#[tokio::test]
async fn the_files_of_sqlite_are_its_owners_alone() {
    let db = Database::sqlite();
    let store = db.open().await;
    store.record_nonce(NOW, [1; 16], NOW, soon()).await.unwrap();
    let path = db.url().replace("sqlite://", "");
    let suffixes = ["", "-wal", "-shm", "-nonces", "-nonces-wal", "-nonces-shm"];
    for suffix in suffixes {
        let file = fs::metadata(format!("{path}{suffix}")).unwrap();
        assert_eq!(file.permissions().mode() & 0o777, 0o600, "{suffix}");
    }
    let rows = db
        .texts_of_nonces("select hex(digests) from nonces where minute >= 0")
        .await;
    assert_eq!(rows, ["01".repeat(16)], "a digest, and nothing else");
}

/// All rows of all tables as text; bytes in hexadecimal digits.
async fn everything_in(db: &Database) -> String {
    let mut rows = Vec::new();
    for table in "consumers request_tokens access_tokens sessions audit".split(' ') {
        let sql = if db.is_sqlite() {
            let columns = db
                .texts(format!("select name from pragma_table_info('{table}')"))
                .await;
            let shown = columns
                .iter()
                .map(|c| format!("case typeof({c}) when 'blob' then hex({c}) else {c} end"));
            format!(
                "select concat_ws(' ', {}) from {table}",
                shown.collect::<Vec<_>>().join(", ")
            )
        } else {
            format!("select t::text from {table} t")
        };
        rows.extend(db.texts(sql).await);
    }
    rows.join("\n")
}
