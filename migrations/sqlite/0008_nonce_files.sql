-- Nonces leave the database for files beside it. What stands here is not carried over: where there are no files yet, requests
-- up to the noted minute are not admitted. A database from before the note gets one.

insert into nonce_mark (start, minute, lost)
    select 'before', newest, newest from (select max(newest) as newest from nonces)
    where newest is not null and not exists (select 1 from nonce_mark);

drop table nonces;
