//! Reads the heads of values: their type, and their number or length.

use super::{DecodeError, Kind};

/// The type of a value with its number, or with the length that it claims.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Head {
    Nil,
    Boolean(bool),
    Unsigned(u64),
    Negative(i64),
    F32(f32),
    F64(f64),
    Str(usize),
    Bin(usize),
    Array(usize),
    Map(usize),
    Ext(i8, usize),
}

/// How far a value reaches behind its head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Extent {
    Bytes(usize),
    /// An array or a map.
    Values(usize),
}

impl Head {
    pub(crate) fn kind(self) -> Kind {
        match self {
            Self::Nil => Kind::Nil,
            Self::Boolean(_) => Kind::Boolean,
            Self::Unsigned(_) | Self::Negative(_) => Kind::Integer,
            Self::F32(_) | Self::F64(_) => Kind::Float,
            Self::Str(_) => Kind::String,
            Self::Bin(_) => Kind::Binary,
            Self::Array(_) => Kind::Array,
            Self::Map(_) => Kind::Map,
            Self::Ext(..) => Kind::Extension,
        }
    }
}

/// A cursor over encoded values.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(crate) const fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// Reads the head of the next value. The body of strings, binaries and extensions is left to
    /// [`take`](Self::take).
    #[inline]
    pub(crate) fn head(&mut self) -> Result<Head, DecodeError> {
        let marker = self.byte()?;
        Ok(match marker {
            0x00..=0x7f => Head::Unsigned(u64::from(marker)),
            0x80..=0x8f => Head::Map(usize::from(marker & 0x0f)),
            0x90..=0x9f => Head::Array(usize::from(marker & 0x0f)),
            0xa0..=0xbf => Head::Str(usize::from(marker & 0x1f)),
            0xc4 => Head::Bin(self.len8()?),
            0xd9 => Head::Str(self.len8()?),
            _ => return self.rare_head(marker),
        })
    }

    /// The heads that short strings, small numbers and small collections do not have.
    fn rare_head(&mut self, marker: u8) -> Result<Head, DecodeError> {
        Ok(match marker {
            0xc0 => Head::Nil,
            0xc2 => Head::Boolean(false),
            0xc3 => Head::Boolean(true),
            0xc5 => Head::Bin(self.len16()?),
            0xc6 => Head::Bin(self.len32()?),
            0xc7 => self.extension(Self::len8)?,
            0xc8 => self.extension(Self::len16)?,
            0xc9 => self.extension(Self::len32)?,
            0xca => Head::F32(f32::from_be_bytes(self.array()?)),
            0xcb => Head::F64(f64::from_be_bytes(self.array()?)),
            0xcc => Head::Unsigned(u64::from(self.byte()?)),
            0xcd => Head::Unsigned(u64::from(u16::from_be_bytes(self.array()?))),
            0xce => Head::Unsigned(u64::from(u32::from_be_bytes(self.array()?))),
            0xcf => Head::Unsigned(u64::from_be_bytes(self.array()?)),
            0xd0 => signed(i64::from(i8::from_be_bytes(self.array()?))),
            0xd1 => signed(i64::from(i16::from_be_bytes(self.array()?))),
            0xd2 => signed(i64::from(i32::from_be_bytes(self.array()?))),
            0xd3 => signed(i64::from_be_bytes(self.array()?)),
            0xd4 => self.extension(|_| Ok(1))?,
            0xd5 => self.extension(|_| Ok(2))?,
            0xd6 => self.extension(|_| Ok(4))?,
            0xd7 => self.extension(|_| Ok(8))?,
            0xd8 => self.extension(|_| Ok(16))?,
            0xda => Head::Str(self.len16()?),
            0xdb => Head::Str(self.len32()?),
            0xdc => Head::Array(self.len16()?),
            0xdd => Head::Array(self.len32()?),
            0xde => Head::Map(self.len16()?),
            0xdf => Head::Map(self.len32()?),
            0xe0..=0xff => Head::Negative(i64::from(i8::from_be_bytes([marker]))),
            // The others were told apart before.
            _ => return Err(DecodeError::Reserved),
        })
    }

    /// Takes the next value, encoded, if it is a short text or a small number, as keys, ids and most
    /// of what goes with them are. Anything else, and what is cut off, is left where it is.
    #[inline]
    pub(crate) fn take_short(&mut self) -> Option<&'a [u8]> {
        let len = match *self.rest {
            [0x00..=0x7f, ..] => 1,
            [marker @ 0xa0..=0xbf, ..] => usize::from(marker & 0x1f).saturating_add(1),
            [0xc4 | 0xd9, len, ..] => usize::from(len).saturating_add(2),
            _ => return None,
        };
        let (value, rest) = self.rest.split_at_checked(len)?;
        self.rest = rest;
        Some(value)
    }

    /// Reads the next value up to its body, without looking at what it is.
    #[inline]
    pub(crate) fn extent(&mut self) -> Result<Extent, DecodeError> {
        let marker = self.byte()?;
        Ok(match marker {
            0x00..=0x7f | 0xe0..=0xff | 0xc0 | 0xc2 | 0xc3 => Extent::Bytes(0),
            0xa0..=0xbf => Extent::Bytes(usize::from(marker & 0x1f)),
            0x80..=0x8f => Extent::Values(usize::from(marker & 0x0f).saturating_mul(2)),
            0x90..=0x9f => Extent::Values(usize::from(marker & 0x0f)),
            0xc4 | 0xd9 => Extent::Bytes(self.len8()?),
            _ => return self.rare_extent(marker),
        })
    }

    /// The forms that short strings, small numbers and small collections do not have.
    fn rare_extent(&mut self, marker: u8) -> Result<Extent, DecodeError> {
        const TAG: usize = 1;
        Ok(match marker {
            0xcc | 0xd0 => Extent::Bytes(1),
            0xcd | 0xd1 => Extent::Bytes(2),
            0xca | 0xce | 0xd2 => Extent::Bytes(4),
            0xcb | 0xcf | 0xd3 => Extent::Bytes(8),
            0xc5 | 0xda => Extent::Bytes(self.len16()?),
            0xc6 | 0xdb => Extent::Bytes(self.len32()?),
            0xd4 => Extent::Bytes(1 + TAG),
            0xd5 => Extent::Bytes(2 + TAG),
            0xd6 => Extent::Bytes(4 + TAG),
            0xd7 => Extent::Bytes(8 + TAG),
            0xd8 => Extent::Bytes(16 + TAG),
            0xc7 => Extent::Bytes(self.len8()?.saturating_add(TAG)),
            0xc8 => Extent::Bytes(self.len16()?.saturating_add(TAG)),
            0xc9 => Extent::Bytes(self.len32()?.saturating_add(TAG)),
            0xdc => Extent::Values(self.len16()?),
            0xdd => Extent::Values(self.len32()?),
            0xde => Extent::Values(self.len16()?.saturating_mul(2)),
            0xdf => Extent::Values(self.len32()?.saturating_mul(2)),
            // The others were told apart before.
            _ => return Err(DecodeError::Reserved),
        })
    }

    /// Reads the next `len` bytes.
    #[inline]
    pub(crate) fn take(&mut self, len: usize) -> Result<&'a [u8], DecodeError> {
        let (taken, rest) = self
            .rest
            .split_at_checked(len)
            .ok_or(DecodeError::Truncated)?;
        self.rest = rest;
        Ok(taken)
    }

    /// Returns what is not read yet.
    pub(crate) const fn rest(&self) -> &'a [u8] {
        self.rest
    }

    #[inline]
    fn byte(&mut self) -> Result<u8, DecodeError> {
        let (first, rest) = self.rest.split_first().ok_or(DecodeError::Truncated)?;
        self.rest = rest;
        Ok(*first)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
        let (first, rest) = self
            .rest
            .split_first_chunk::<N>()
            .ok_or(DecodeError::Truncated)?;
        self.rest = rest;
        Ok(*first)
    }

    #[inline]
    fn len8(&mut self) -> Result<usize, DecodeError> {
        self.byte().map(usize::from)
    }

    fn len16(&mut self) -> Result<usize, DecodeError> {
        self.array().map(u16::from_be_bytes).map(usize::from)
    }

    fn len32(&mut self) -> Result<usize, DecodeError> {
        // A length that does not fit cannot be there in full.
        let len = self.array().map(u32::from_be_bytes)?;
        usize::try_from(len).map_err(|_| DecodeError::Truncated)
    }

    fn extension<F>(&mut self, len: F) -> Result<Head, DecodeError>
    where
        F: FnOnce(&mut Self) -> Result<usize, DecodeError>,
    {
        let len = len(self)?;
        let tag = i8::from_be_bytes(self.array()?);
        Ok(Head::Ext(tag, len))
    }
}

/// An integer has one form here, whichever of the signed encodings it came in.
fn signed(value: i64) -> Head {
    u64::try_from(value).map_or(Head::Negative(value), Head::Unsigned)
}
