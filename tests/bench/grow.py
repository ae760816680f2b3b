"""Fills a SQLite database of linkgate with access tokens that nobody holds, and with consumers that never call.

usage: grow.py DATABASE TOKENS CONSUMERS
"""

import sqlite3
import sys

path, tokens, consumers = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
db = sqlite3.connect(path)
db.execute("pragma synchronous = off")
indexes = db.execute("select name, sql from sqlite_schema where tbl_name = 'access_tokens' and sql like 'create index%'").fetchall()
for name, _ in indexes:
    db.execute(f"drop index {name}")
numbers = "with recursive numbers(n) as (select 1 union all select n + 1 from numbers where n < ?) "
# Every column as alice's token has it, but for its names and its times.
columns = [column for _, column, *_ in db.execute("pragma table_info(access_tokens)")]
own = {
    "digest": "randomblob(32)",
    "id": "printf('g%015d', n)",
    "subject": "'user' || (n % 5000)",
    "expires_at": "expires_at + n % 86400",
    "session_id": "null",
    "session_expires_at": "null",
    "revoked_at": "null",
    "last_used_at": "null",
    "last_used_from": "null",
}
values = ", ".join(own.get(column, column) for column in columns)
db.execute(
    numbers + f"insert into access_tokens ({', '.join(columns)}) select {values} "
    "from numbers, (select * from access_tokens limit 1)",
    (tokens,),
)
for _, sql in indexes:
    db.execute(sql)
db.execute(
    numbers + "insert into consumers (key, name, source, enabled, updated_at, settings, secrets) "
    "select 'grown-' || n, name, 'command', enabled, updated_at, settings, secrets "
    "from numbers, (select * from consumers where key = 'rsa2048') where n <= ?",
    (consumers, consumers),
)
db.commit()
