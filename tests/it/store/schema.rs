use std::collections::BTreeSet;
use std::fs;

use super::*;

#[test]
fn both_databases_have_the_same_migrations() {
    let names = |folder: &str| -> BTreeSet<String> {
        let folder = format!("{}/migrations/{folder}", env!("CARGO_MANIFEST_DIR"));
        fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect()
    };
    assert_eq!(names("sqlite"), names("postgres"));
}

#[tokio::test]
async fn both_databases_have_the_same_tables() {
    let (sqlite, postgres) = (Database::sqlite(), Database::postgres().await);
    crate::support::with(postgres, async move |postgres| {
        let store = sqlite.open().await;
        store.record_nonce(NOW, [1; 16], NOW, soon()).await.unwrap();
        store.close().await;
        postgres.open().await.close().await;
        let mut here = sqlite.texts(SQLITE_COLUMNS.to_owned()).await;
        let mut there = postgres.texts(POSTGRES_COLUMNS.to_owned()).await;
        assert!(here.len() > 40, "{here:?}");
        // SQLite's nonces are in a file of their own, made when the first is recorded.
        let nonces = sqlite.texts_of_nonces(SQLITE_COLUMNS).await;
        assert_eq!(nonces.len(), 3, "{nonces:?}");
        here.extend(nonces);
        here.sort();
        there.sort();
        assert_eq!(here, there);
        let here = sqlite.texts(SQLITE_INDEXES.to_owned()).await;
        let there = postgres.texts(POSTGRES_INDEXES.to_owned()).await;
        assert!(here.len() > 5, "{here:?}");
        assert_eq!(here, there);
    })
    .await;
}

#[tokio::test]
async fn sqlite_tables_are_strict() {
    let db = Database::sqlite();
    db.open().await.close().await;
    let lax = "select name from pragma_table_list where schema = 'main' and type = 'table' and strict = 0 \
               and name not like 'sqlite%' and name not like '\\_sqlx%' escape '\\'";
    assert_eq!(db.texts(lax.to_owned()).await, Vec::<String>::new());
}

/// `table.column type`, in PostgreSQL's words; a flag is an integer that is checked to be 0 or 1.
const SQLITE_COLUMNS: &str = "
    select t.name || '.' || c.name || ' '
        || case when t.sql like '%' || c.name || ' in (0, 1)%' then 'boolean'
                else replace(replace(lower(c.type), 'integer', 'bigint'), 'blob', 'bytea') end
        || case when c.\"notnull\" then ' not null' else '' end
        || case when c.pk > 0 then ' key ' || c.pk else '' end
    from sqlite_schema t join pragma_table_info(t.name) c
    where t.type = 'table' and t.name not like 'sqlite%' and t.name not like '\\_sqlx%' escape '\\'
    order by t.name, c.name";

const POSTGRES_COLUMNS: &str = "
    select c.table_name || '.' || c.column_name || ' ' || c.data_type
        || case when c.is_nullable = 'NO' then ' not null' else '' end
        || coalesce(' key ' || k.ordinal_position, '')
    from information_schema.columns c
    left join information_schema.table_constraints p
        on p.table_name = c.table_name and p.table_schema = c.table_schema and p.constraint_type = 'PRIMARY KEY'
    left join information_schema.key_column_usage k
        on k.constraint_name = p.constraint_name and k.table_schema = c.table_schema and k.column_name = c.column_name
    where c.table_schema = 'public' and c.table_name not like '\\_sqlx%'
    order by c.table_name collate \"C\", c.column_name collate \"C\"";

const SQLITE_INDEXES: &str = "
    select name || ' on ' || tbl_name from sqlite_schema
    where type = 'index' and sql is not null order by name";

const POSTGRES_INDEXES: &str = "
    select indexname || ' on ' || tablename from pg_indexes
    where schemaname = 'public' and indexname like '%\\_by\\_%' order by indexname collate \"C\"";
