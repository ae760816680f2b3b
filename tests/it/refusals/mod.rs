//! What must be refused, and how: a request in, a status, a problem and a header out. One file for each kind of care.

mod presence;
