//! Collects parameters from header, query and form; sorts and normalises them (RFC 5849, section 3.4.1.3).
