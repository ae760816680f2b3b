-- linkgate's tables, in SQLite's words. migrations/postgres/0001_init.sql is the same schema in PostgreSQL's.
--
-- Times are whole seconds since 1970. Tokens and session ids stand here only as SHA-256 (digest); their secrets are
-- derived from the key file. Nothing in this database lets its reader act.

create table consumers (
    key        text    not null primary key,
    name       text    not null,
    source     text    not null check (source in ('config', 'command')),
    enabled    integer not null check (enabled in (0, 1)),
    updated_at integer not null,
    settings   text    not null, -- JSON: public keys, methods, callbacks, switches
    secrets    blob              -- the shared secrets, sealed
) strict;

create table request_tokens (
    digest          blob    not null primary key,
    consumer_key    text    not null references consumers (key) on delete cascade,
    callback        text    not null,
    issued_at       integer not null,
    expires_at      integer not null,
    wrong_verifiers integer not null,
    state           text    not null check (state in ('pending', 'authorized', 'denied', 'used')),
    subject         text, -- who authorized it, and how they proved who they are
    display_name    text,
    proved_by       text,
    proved_at       integer
) strict;

create index request_tokens_by_consumer on request_tokens (consumer_key, expires_at);
create index request_tokens_by_expiry on request_tokens (expires_at);

create table access_tokens (
    digest             blob    not null primary key,
    id                 text    not null unique, -- the digest's first 16 hexadecimal digits
    consumer_key       text    not null references consumers (key) on delete cascade,
    subject            text    not null,
    display_name       text    not null,
    proved_by          text    not null,
    proved_at          integer not null,
    issued_at          integer not null,
    expires_at         integer not null,
    session_id         text,
    session_expires_at integer,
    revoked_at         integer,
    last_used_at       integer,
    last_used_from     text
) strict;

create index access_tokens_by_consumer on access_tokens (consumer_key);
create index access_tokens_by_subject on access_tokens (subject);
create index access_tokens_by_expiry on access_tokens (expires_at);

-- Which requests were seen. The bucket is the minute of the request's timestamp, so what is forgotten is a range of the
-- primary key, and what is written is at the end of it.
create table nonces (
    bucket integer not null,
    digest blob    not null,
    primary key (bucket, digest)
) strict, without rowid;

create table sessions (
    digest       blob    not null primary key,
    subject      text    not null,
    display_name text    not null,
    proved_by    text    not null,
    proved_at    integer not null,
    created_at   integer not null,
    seen_at      integer not null,
    expires_at   integer not null
) strict;

create index sessions_by_expiry on sessions (expires_at);

-- What happened, for people. The one table that the database numbers, for it has no name of its own to go by.
create table audit (
    id           integer not null primary key,
    at           integer not null,
    kind         text    not null,
    consumer_key text,
    subject      text,
    address      text,
    reference    text,
    detail       text    not null
) strict;

create index audit_by_time on audit (at);
