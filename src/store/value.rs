//! Values of statements.

use crate::oauth::{ConsumerKey, Timestamp};

/// A value of one of the four column types.
pub(super) enum Value {
    Integer(Option<i64>),
    Text(Option<String>),
    Bytes(Option<Vec<u8>>),
    Boolean(bool),
}

/// What becomes the value of a column, or null.
pub(super) trait Bind {
    fn value(self) -> Value;
}

/// A type with values of a column that can be null.
pub(super) trait Nullable: Sized {
    fn nullable(value: Option<Self>) -> Value;
}

impl<T: Nullable> Bind for T {
    fn value(self) -> Value {
        T::nullable(Some(self))
    }
}

impl<T: Nullable> Bind for Option<T> {
    fn value(self) -> Value {
        T::nullable(self)
    }
}

impl Bind for bool {
    fn value(self) -> Value {
        Value::Boolean(self)
    }
}

impl Nullable for i64 {
    fn nullable(value: Option<Self>) -> Value {
        Value::Integer(value)
    }
}

impl Nullable for Timestamp {
    fn nullable(value: Option<Self>) -> Value {
        Value::Integer(value.map(Self::seconds))
    }
}

impl Nullable for &str {
    fn nullable(value: Option<Self>) -> Value {
        Value::Text(value.map(str::to_owned))
    }
}

impl Nullable for String {
    fn nullable(value: Option<Self>) -> Value {
        Value::Text(value)
    }
}

impl Nullable for &ConsumerKey {
    fn nullable(value: Option<Self>) -> Value {
        Value::Text(value.map(|key| key.as_str().to_owned()))
    }
}

impl Nullable for Vec<u8> {
    fn nullable(value: Option<Self>) -> Value {
        Value::Bytes(value)
    }
}
