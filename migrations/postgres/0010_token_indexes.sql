-- What forgets dead tokens finds them without reading those that live, of which many may have expired and can be renewed; and
-- the list of the newest ones is read in its order.

drop index access_tokens_by_expiry;
create index access_tokens_by_end on access_tokens (coalesce(session_expires_at, expires_at));
create index access_tokens_by_revocation on access_tokens (revoked_at) where revoked_at is not null;
create index access_tokens_by_issue on access_tokens (issued_at desc, id);
