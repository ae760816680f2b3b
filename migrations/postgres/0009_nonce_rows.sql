-- What one commit makes known of a minute is a row, whatever number of nonces it is: 16 bytes each. The rows of a minute are
-- numbered, so whoever takes a number has all rows before it to compare with. Row 0 says that the minute is open, and holds a
-- random name instead of nonces: by it, a replica knows that the rows are still those that it has read.
--
-- Unlogged: nobody waits for the disk. PostgreSQL empties such a table after a crash, and on a standby that takes over. Then
-- row 0 is missing of a minute that is noted in nonce_minutes, which is logged: nothing of that minute is admitted any more.
--
-- A process of an earlier version finds no table that it knows, and answers signed requests with 503 until it is replaced.

alter table nonces rename to nonces_before;
alter table nonces_before rename constraint nonces_pkey to nonces_before_pkey;

create unlogged table nonces (
    minute  bigint not null,
    batch   bigint not null,
    digests bytea  not null,
    primary key (minute, batch)
) with (autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_cost_delay = 0);

-- Digests do not get smaller.
alter table nonces alter column digests set storage external;

-- Minutes that have been opened.
create table nonce_minutes (
    minute bigint not null primary key
);

-- A request that was admitted before this migration stays refused after it.
insert into nonce_minutes (minute) select distinct bucket from nonces_before;
insert into nonces (minute, batch, digests) select minute, 0, uuid_send(gen_random_uuid()) from nonce_minutes;
insert into nonces (minute, batch, digests)
    select bucket, 1, string_agg(digest, ''::bytea) from nonces_before group by bucket;

drop table nonces_before;
