-- What the page of connections shows of an access token. A token of before has neither: then it was connected when it was
-- issued, and nobody kept where its user returned.

alter table access_tokens add column connected_at bigint;
alter table access_tokens add column host text; -- of the callback
