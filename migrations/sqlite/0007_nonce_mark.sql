-- Nonces are written without waiting for the disk, so a power cut may forget the last of them. Before the first nonce of a
-- minute, the minute is noted here and synchronised to disk: after a cut, requests up to that minute are not admitted.

create table nonce_mark (
    start  text    not null primary key, -- which start of the machine wrote this; there is one row
    minute integer not null,             -- the latest minute of a nonce
    lost   integer not null              -- up to this minute, nonces of an earlier start may be missing
) strict;
