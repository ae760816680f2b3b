-- Neither what forgets revoked tokens nor the list of the newest ones may read all of them.

create index access_tokens_by_revocation on access_tokens (revoked_at) where revoked_at is not null;
create index access_tokens_by_issue on access_tokens (issued_at desc, id);
