-- linkgate's tables, in PostgreSQL's words. migrations/sqlite/0001_init.sql is the same schema in SQLite's.
--
-- Times are whole seconds since 1970. Tokens and session ids stand here only as SHA-256 (digest); their secrets are
-- derived from the key file. Nothing in this database lets its reader act.
-- Text that is compared or sorted has the collation "C": bytes, as in SQLite, on every machine the same.

-- The secret keys from which the secrets of tokens derive, and with which other secrets are sealed. The keys themselves are in
-- the key file alone.
create table secret_keys (
    id            text collate "C" not null primary key,
    check_value   bytea   not null, -- tells two keys with the same id apart
    first_used_at bigint not null
);

create table consumers (
    key        text collate "C" not null primary key,
    name       text    not null,
    source     text    not null check (source in ('config', 'command')),
    enabled    boolean not null,
    updated_at bigint  not null,
    settings   text    not null, -- JSON: public keys, methods, callbacks, switches
    secrets    bytea, -- the shared secrets, sealed
    key_id     text collate "C" references secret_keys (id) -- of `secrets`
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
    proved_at       bigint,
    key_id          text collate "C" not null references secret_keys (id)
);

create index request_tokens_by_consumer on request_tokens (consumer_key, expires_at);
create index request_tokens_by_subject on request_tokens (subject) where subject is not null;
create index request_tokens_by_expiry on request_tokens (expires_at);

create table access_tokens (
    digest             bytea  not null primary key,
    replaced_digest    bytea,   -- of the token that this one has replaced
    id                 text collate "C" not null unique, -- the first digest's first 16 hexadecimal digits; a renewal does not change it
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
    last_used_from     text,
    connected_at       bigint, -- when its user approved; a renewal does not change it
    host               text, -- of the callback
    key_id             text collate "C" not null references secret_keys (id)
);

create index access_tokens_by_consumer on access_tokens (consumer_key, issued_at desc, id);
create index access_tokens_by_subject on access_tokens (subject);
create index access_tokens_by_replaced on access_tokens (replaced_digest) where replaced_digest is not null;
-- What forgets dead tokens finds them without reading those that live, of which many may have expired and can be renewed; and
-- the list of the newest ones is read in its order.
create index access_tokens_by_end on access_tokens (coalesce(session_expires_at, expires_at));
create index access_tokens_by_revocation on access_tokens (revoked_at) where revoked_at is not null;
create index access_tokens_by_issue on access_tokens (issued_at desc, id);

-- Which minutes of oauth_timestamp may have nonces; src/store/nonces/mod.rs has the rules. Every commit waits for the disk.
create table nonce_lease (
    one    bigint not null primary key check (one = 1),
    epoch  text   not null, -- of the table of nonces; empty before the first
    minute bigint not null  -- the latest that the epoch has leased
);

insert into nonce_lease (one, epoch, minute) values (1, '', -1);

-- Rows of nonces, 16 bytes each: what one process has recorded of a minute at once. The rows of a minute are numbered from 0,
-- so the writer of a row knows which ones to compare with. The state row has the minute -1: its number is the floor, its
-- digests are the epoch. Unlogged: nothing waits for the disk. A crash empties the table, which is then noticed by the state row.
create unlogged table nonces (
    minute  bigint not null,
    number  bigint not null,
    digests bytea  not null,
    primary key (minute, number)
) with (autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_cost_delay = 0);

-- Digests do not get smaller.
alter table nonces alter column digests set storage external;

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

-- Who has signed in here, and when they last did: whom a consumer may name where the login cannot say who exists.
-- A name is one of a login method's: another method's user of the same name is somebody else.
create table users (
    subject      text collate "C" not null,
    proved_by    text collate "C" not null,
    display_name text   not null,
    proved_at    bigint not null,
    primary key (subject, proved_by)
);

create index users_by_proof on users (proved_at);

-- Attempts to sign in, by the minute. Everything else in this database is written by somebody who proved something; an
-- attempt is a stranger's, so it has a fixed number of rows: a name or an address has the slot that a keyed hash gives it,
-- two that share one share its limit, and a slot that has reached its limit is not written again in that minute.
create table sign_in_slots (
    slot     bigint not null primary key,
    minute   bigint not null,
    attempts bigint not null
);

-- Round trips of a browser that ended in a user: each may do so once, at whichever replica. Written after the answer was
-- found to be true, and forgotten when the trip would be too old anyway.
create table finished_trips (
    digest     bytea  not null primary key,
    expires_at bigint not null
);

create index finished_trips_by_expiry on finished_trips (expires_at);

-- Application Links: who this installation is, and the other direction, in which we are the consumer.

create table installation (
    one bigint not null primary key check (one = 1),
    id  text   not null -- a UUID, made at the first start and never changed
);

-- Dances that we began at another side: the user is there now, and comes back with this request token.
create table link_dances (
    digest     bytea  not null primary key,
    link       text collate "C" not null,
    subject    text collate "C" not null, -- for whom it was begun, and who alone may end it
    sealed     bytea  not null, -- token and secret
    return_to  text   not null,
    expires_at bigint not null,
    key_id     text collate "C" not null references secret_keys (id)
);

create index link_dances_by_user on link_dances (link, subject);
create index link_dances_by_expiry on link_dances (expires_at);

-- What users gave us there: one access token for each link and user.
create table link_tokens (
    link         text collate "C" not null,
    subject      text collate "C" not null,
    digest       bytea  not null,
    sealed       bytea  not null, -- token and secret
    connected_at bigint not null,
    last_used_at bigint,
    key_id       text collate "C" not null references secret_keys (id),
    primary key (link, subject)
);

create index link_tokens_by_subject on link_tokens (subject);

-- How the last calls went, for administrators.
create table link_states (
    link             text collate "C" not null primary key,
    reached_at       bigint, -- an answer came, whatever it said
    success_at       bigint,
    problem_at       bigint,
    problem          text,
    clock_difference bigint  -- seconds by which their clock is ahead of ours
);

-- When expired rows were deleted last: a clock that jumps ahead deletes no more than an hour's worth at a time.
create table sweep (
    one bigint not null primary key check (one = 1),
    at  bigint not null
);
