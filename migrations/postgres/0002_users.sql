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
