//! The `Authorization: OAuth` grammar (RFC 5849, section 3.5.1), both directions.
