-- linkgate's tables, in SQLite's words. migrations/postgres/0001_init.sql is the same schema in PostgreSQL's.
--
-- Times are whole seconds since 1970. Tokens and session ids stand here only as SHA-256 (digest); their secrets are
-- derived from the key file. Nothing in this database lets its reader act.

-- The secret keys from which the secrets of tokens derive, and with which other secrets are sealed. The keys themselves are in
-- the key file alone.
create table secret_keys (
    id            text not null primary key,
    check_value   blob    not null, -- tells two keys with the same id apart
    first_used_at integer not null
) strict;

create table consumers (
    key        text    not null primary key,
    name       text    not null,
    source     text    not null check (source in ('config', 'command')),
    enabled    integer not null check (enabled in (0, 1)),
    updated_at integer not null,
    settings   text    not null, -- JSON: public keys, methods, callbacks, switches
    secrets    blob, -- the shared secrets, sealed
    key_id     text    references secret_keys (id) -- of `secrets`
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
    proved_at       integer,
    key_id          text    not null references secret_keys (id)
) strict;

create index request_tokens_by_consumer on request_tokens (consumer_key, expires_at);
create index request_tokens_by_subject on request_tokens (subject) where subject is not null;
create index request_tokens_by_expiry on request_tokens (expires_at);

create table access_tokens (
    digest             blob    not null primary key,
    replaced_digest    blob,    -- of the token that this one has replaced
    id                 text    not null unique, -- the first digest's first 16 hexadecimal digits; a renewal does not change it
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
    last_used_from     text,
    connected_at       integer, -- when its user approved; a renewal does not change it
    host               text, -- of the callback
    key_id             text    not null references secret_keys (id)
) strict;

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
    one    integer not null primary key check (one = 1),
    epoch  text    not null, -- of the table of nonces; empty before the first
    minute integer not null  -- the latest that the epoch has leased
) strict;

insert into nonce_lease (one, epoch, minute) values (1, '', -1);

-- The nonces themselves are in a file beside this one, which is not synchronised to the disk.

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

-- Who has signed in here, and when they last did: whom a consumer may name where the login cannot say who exists.
-- A name is one of a login method's: another method's user of the same name is somebody else.
create table users (
    subject      text    not null,
    proved_by    text    not null,
    display_name text    not null,
    proved_at    integer not null,
    primary key (subject, proved_by)
) strict;

create index users_by_proof on users (proved_at);

-- Attempts to sign in, by the minute. Everything else in this database is written by somebody who proved something; an
-- attempt is a stranger's, so it has a fixed number of rows: a name or an address has the slot that a keyed hash gives it,
-- two that share one share its limit, and a slot that has reached its limit is not written again in that minute.
create table sign_in_slots (
    slot     integer not null primary key,
    minute   integer not null,
    attempts integer not null
) strict;

-- Round trips of a browser that ended in a user: each may do so once, at whichever replica. Written after the answer was
-- found to be true, and forgotten when the trip would be too old anyway.
create table finished_trips (
    digest     blob    not null primary key,
    expires_at integer not null
) strict;

create index finished_trips_by_expiry on finished_trips (expires_at);

-- Application Links: who this installation is, and the other direction, in which we are the consumer.

create table installation (
    one integer not null primary key check (one = 1),
    id  text    not null -- a UUID, made at the first start and never changed
) strict;

-- Dances that we began at another side: the user is there now, and comes back with this request token.
create table link_dances (
    digest     blob    not null primary key,
    link       text    not null,
    subject    text    not null, -- for whom it was begun, and who alone may end it
    sealed     blob    not null, -- token and secret
    return_to  text    not null,
    expires_at integer not null,
    key_id     text    not null references secret_keys (id)
) strict;

create index link_dances_by_user on link_dances (link, subject);
create index link_dances_by_expiry on link_dances (expires_at);

-- What users gave us there: one access token for each link and user.
create table link_tokens (
    link         text    not null,
    subject      text    not null,
    digest       blob    not null,
    sealed       blob    not null, -- token and secret
    connected_at integer not null,
    last_used_at integer,
    key_id       text    not null references secret_keys (id),
    primary key (link, subject)
) strict;

create index link_tokens_by_subject on link_tokens (subject);

-- How the last calls went, for administrators.
create table link_states (
    link             text    not null primary key,
    reached_at       integer, -- an answer came, whatever it said
    success_at       integer,
    problem_at       integer,
    problem          text,
    clock_difference integer  -- seconds by which their clock is ahead of ours
) strict;

-- When expired rows were deleted last: a clock that jumps ahead deletes no more than an hour's worth at a time.
create table sweep (
    one integer not null primary key check (one = 1),
    at  integer not null
) strict;
