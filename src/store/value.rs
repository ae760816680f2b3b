//! Values of statements.

use crate::model::User;
use crate::oauth::{ConsumerKey, Timestamp};

/// A value of one of the four column types.
pub(super) enum Value {
    Integer(Option<i64>),
    Text(Option<String>),
    Bytes(Option<Vec<u8>>),
    Boolean(bool),
}

/// What becomes the next values of a statement: a value, several, or null.
pub(super) trait Bind {
    fn bind(self, values: &mut Vec<Value>);
}

/// A type of a column that can be null.
pub(super) trait Nullable: Sized {
    fn nullable(value: Option<Self>) -> Value;
}

impl<T: Nullable> Bind for T {
    fn bind(self, values: &mut Vec<Value>) {
        values.push(T::nullable(Some(self)));
    }
}

impl<T: Nullable> Bind for Option<T> {
    fn bind(self, values: &mut Vec<Value>) {
        values.push(T::nullable(self));
    }
}

impl Bind for bool {
    fn bind(self, values: &mut Vec<Value>) {
        values.push(Value::Boolean(self));
    }
}

/// Subject, display name, and by which login method and when they signed in.
impl Bind for &User {
    fn bind(self, values: &mut Vec<Value>) {
        let User {
            subject,
            display_name,
            proved_by,
            proved_at,
        } = self;
        (subject, display_name, proved_by, *proved_at).bind(values);
    }
}

macro_rules! bind_tuples {
    ($(($($name:ident)+))+) => {$(
        impl<$($name: Bind),+> Bind for ($($name,)+) {
            fn bind(self, values: &mut Vec<Value>) {
                #[expect(non_snake_case, reason = "a value has the name of its type")]
                let ($($name,)+) = self;
                $($name.bind(values);)+
            }
        }
    )+};
}
bind_tuples! {
    (A B) (A B C) (A B C D) (A B C D E) (A B C D E F) (A B C D E F G) (A B C D E F G H) (A B C D E F G H I)
    (A B C D E F G H I J)
}

macro_rules! nullable {
    ($($type:ty => $kind:ident, $value:expr;)+) => {$(
        impl Nullable for $type {
            fn nullable(value: Option<Self>) -> Value {
                Value::$kind(value.map($value))
            }
        }
    )+};
}
nullable! {
    i64 => Integer, |value| value;
    Timestamp => Integer, Timestamp::seconds;
    &str => Text, str::to_owned;
    &String => Text, String::clone;
    String => Text, |value| value;
    &ConsumerKey => Text, |key| key.as_str().to_owned();
    Vec<u8> => Bytes, |value| value;
}
