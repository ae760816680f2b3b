-- SQLite keeps nonces in batches: a row is what one commit made known, numbered in the order of commits. An entry is the
-- minute of a request's timestamp in 8 bytes and the nonce's digest in 16; `newest` is the latest minute in the row.
-- PostgreSQL, where replicas compare nonces with each other, keeps a row for each.

alter table nonces rename to nonces_before;

create table nonces (
    id      integer not null primary key,
    newest  integer not null,
    entries blob    not null
) strict;

-- A request that was admitted before this migration stays refused after it. Text of hexadecimal digits becomes bytes.
insert into nonces (newest, entries)
    select bucket, unhex(printf('%016x', bucket) || hex(digest)) from nonces_before;

drop table nonces_before;
