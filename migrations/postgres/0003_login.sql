-- Signing in. migrations/sqlite/0003_login.sql is the same in SQLite's words.

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
