//! What several tests need: throwaway databases.

pub(crate) mod databases;
