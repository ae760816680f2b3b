//! The `linkgate` program.

fn main() {}
