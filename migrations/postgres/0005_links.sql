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
    expires_at bigint not null
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
