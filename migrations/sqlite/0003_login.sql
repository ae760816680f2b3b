-- Signing in. migrations/postgres/0003_login.sql is the same in PostgreSQL's words.

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
