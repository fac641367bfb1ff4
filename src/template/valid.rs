//! The types that a literal may have to be taken for a value.

use super::value::Value;

/// A set of Python types; see `valid_types` in the reference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ValidTypes(u16);

impl ValidTypes {
    /// Every type.
    pub const ANY: Self = Self(0);
    /// `str`.
    pub const STR: Self = Self(1);
    /// `int`, which `bool` is as well.
    pub const INT: Self = Self(1 << 1);
    /// `float`, which `int` is not.
    pub const FLOAT: Self = Self(1 << 2);
    /// `bool`.
    pub const BOOL: Self = Self(1 << 3);
    /// `list`.
    pub const LIST: Self = Self(1 << 4);
    /// `dict`.
    pub const DICT: Self = Self(1 << 5);
    /// `tuple`.
    pub const TUPLE: Self = Self(1 << 6);
    /// `set`.
    pub const SET: Self = Self(1 << 7);
    /// `bytes`.
    pub const BYTES: Self = Self(1 << 8);
    /// `NoneType`.
    pub const NONE: Self = Self(1 << 9);

    /// The types of either set.
    #[must_use]
    pub const fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// The type of that Python name.
    pub fn named(name: &str) -> Option<Self> {
        Some(match name {
            "str" => Self::STR,
            "int" => Self::INT,
            "float" => Self::FLOAT,
            "bool" => Self::BOOL,
            "list" => Self::LIST,
            "dict" => Self::DICT,
            "tuple" => Self::TUPLE,
            "set" => Self::SET,
            "bytes" => Self::BYTES,
            "NoneType" => Self::NONE,
            _ => return None,
        })
    }

    /// Whether the value's type is one of them.
    pub(super) fn accept(self, value: &Value<'_>) -> bool {
        if self == Self::ANY {
            return true;
        }
        let types = match value {
            Value::None => Self::NONE,
            Value::Bool(_) => Self::BOOL.or(Self::INT),
            Value::Int(_) | Value::BigInt(_) => Self::INT,
            Value::Float(_) => Self::FLOAT,
            Value::Str(_) | Value::Markup(_) => Self::STR,
            Value::Bytes(_) => Self::BYTES,
            Value::List(_) | Value::JsonList(_) => Self::LIST,
            Value::Tuple(_) => Self::TUPLE,
            Value::Dict(_) | Value::JsonDict(_) => Self::DICT,
            Value::Set(_) => Self::SET,
            _ => return false,
        };
        self.0 & types.0 != 0
    }
}
