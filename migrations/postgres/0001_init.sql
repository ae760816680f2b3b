-- linkgate's tables, in PostgreSQL's words. migrations/sqlite/0001_init.sql is the same schema in SQLite's.
--
-- Times are whole seconds since 1970. Tokens and session ids stand here only as SHA-256 (digest); their secrets are
-- derived from the key file. Nothing in this database lets its reader act.
-- Text that is compared or sorted has the collation "C": bytes, as in SQLite, on every machine the same.

create table consumers (
    key        text collate "C" not null primary key,
    name       text    not null,
    source     text    not null check (source in ('config', 'command')),
    enabled    boolean not null,
    updated_at bigint  not null,
    settings   text    not null, -- JSON: public keys, methods, callbacks, switches
    secrets    bytea             -- the shared secrets, sealed
);

create table request_tokens (
    digest          bytea  not null primary key,
    consumer_key    text collate "C" not null references consumers (key) on delete cascade,
    callback        text   not null,
    issued_at       bigint not null,
    expires_at      bigint not null,
    wrong_verifiers bigint not null,
    state           text   not null check (state in ('pending', 'authorized', 'denied', 'used')),
    subject         text, -- who authorized it, and how they proved who they are
    display_name    text,
    proved_by       text,
    proved_at       bigint
);

create index request_tokens_by_consumer on request_tokens (consumer_key, expires_at);
create index request_tokens_by_expiry on request_tokens (expires_at);

create table access_tokens (
    digest             bytea  not null primary key,
    id                 text collate "C" not null unique, -- the digest's first 16 hexadecimal digits
    consumer_key       text collate "C" not null references consumers (key) on delete cascade,
    subject            text collate "C" not null,
    display_name       text   not null,
    proved_by          text   not null,
    proved_at          bigint not null,
    issued_at          bigint not null,
    expires_at         bigint not null,
    session_id         text,
    session_expires_at bigint,
    revoked_at         bigint,
    last_used_at       bigint,
    last_used_from     text
);

create index access_tokens_by_consumer on access_tokens (consumer_key);
create index access_tokens_by_subject on access_tokens (subject);
create index access_tokens_by_expiry on access_tokens (expires_at);

-- Which requests were seen. The bucket is the minute of the request's timestamp, so what is forgotten is a range of the
-- primary key, and what is written is at the end of it.
--
-- One plain table, not one partition a minute: partitions would need a program that owns its tables and makes new ones
-- while replicas insert, and a missing partition would refuse every request. The range delete leaves dead rows instead,
-- so the autovacuum comes by early and does not pause.
create table nonces (
    bucket bigint not null,
    digest bytea  not null,
    primary key (bucket, digest)
) with (autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_cost_delay = 0);

create table sessions (
    digest       bytea  not null primary key,
    subject      text   not null,
    display_name text   not null,
    proved_by    text   not null,
    proved_at    bigint not null,
    created_at   bigint not null,
    seen_at      bigint not null,
    expires_at   bigint not null
);

create index sessions_by_expiry on sessions (expires_at);

-- What happened, for people. The one table that the database numbers, for it has no name of its own to go by.
create table audit (
    id           bigint generated always as identity primary key,
    at           bigint not null,
    kind         text   not null,
    consumer_key text,
    subject      text,
    address      text,
    reference    text,
    detail       text   not null
);

create index audit_by_time on audit (at);
