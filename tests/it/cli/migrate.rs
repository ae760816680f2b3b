//! `linkgate migrate`, and `linkgate serve --no-migrate`.

use std::net::TcpListener;

use insta::assert_snapshot;

use super::Here;

#[test]
fn only_serve_and_migrate_make_a_database() {
    let here = Here::new();
    let tell = |line: &str| {
        let answer = here.run(line);
        let directory = here.path("").display().to_string();
        let text = format!("{}{}{}", answer.code, answer.out, answer.err);
        text.replace(&directory, "HERE/")
    };
    assert_snapshot!(tell("migrate --status"), @"1error: there is no database HERE/linkgate.db yet; `linkgate serve` or `linkgate migrate` makes it");
    let refused = tell("serve --no-migrate");
    assert!(refused.contains("error: cannot open the database"), "{refused}");
    assert!(!here.path("linkgate.db").exists());
    assert_snapshot!(tell("migrate"), @"0sqlite://HERE/linkgate.db: the tables have version 1, this linkgate's");
    assert_snapshot!(tell("migrate"), @"0sqlite://HERE/linkgate.db: the tables have version 1, this linkgate's");
    assert_snapshot!(tell("migrate --status"), @"0sqlite://HERE/linkgate.db: the tables have version 1, this linkgate's");
}

#[test]
fn a_server_that_cannot_listen_leaves_the_database_alone() {
    let here = Here::new();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = taken.local_addr().unwrap().to_string();
    let answer = here.run_with("serve", "", &[("LINKGATE__SERVER__ADMIN_LISTEN", &taken)]);
    assert_eq!(answer.code, 1);
    assert!(answer.err.contains("cannot be listened on"), "{}", answer.err);
    assert!(!here.path("linkgate.db").exists() && !here.path("linkgate.key").exists());
}
