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
    expires_at integer not null
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
