//! Variable-length integers: seven bits a byte, least significant first; signed ones zigzag.

/// The most bytes that one 64-bit integer takes.
pub(super) const VARINT_BYTES_MAX: usize = 10;

/// Appends `value`.
#[inline]
pub(super) fn put(bytes: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        bytes.push(low_byte(value) | 0x80);
        value >>= 7;
    }
    bytes.push(low_byte(value));
}

/// Appends `to - from`, short for small steps in either direction.
#[inline]
pub(super) fn put_step(bytes: &mut Vec<u8>, from: u32, to: u32) {
    let step = i64::from(to) - i64::from(from);
    put(bytes, ((step << 1) ^ (step >> 63)).cast_unsigned());
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "the low byte is what is wanted"
)]
#[inline]
fn low_byte(value: u64) -> u8 {
    value as u8
}

/// Takes an integer off the front of `bytes`; `None` if it is cut off, too long or not canonical.
pub(super) fn take(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0u64;
    for index in 0..VARINT_BYTES_MAX {
        let (&byte, rest) = bytes.split_first()?;
        *bytes = rest;
        let bits = u64::from(byte & 0x7f);
        let shift = 7 * u32::try_from(index).ok()?;
        if bits << shift >> shift != bits {
            return None;
        }
        value |= bits << shift;
        if byte & 0x80 == 0 {
            let canonical = byte != 0 || index == 0;
            return canonical.then_some(value);
        }
    }
    None
}

/// Takes a step off the front of `bytes` and applies it to `from`.
pub(super) fn take_step(bytes: &mut &[u8], from: u32) -> Option<u32> {
    let zigzag = take(bytes)?;
    let step = (zigzag >> 1).cast_signed() ^ -(zigzag & 1).cast_signed();
    u32::try_from(i64::from(from).checked_add(step)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn integers_read_back(value in any::<u64>(), shift in 0u32..64) {
            let mut bytes = Vec::new();
            put(&mut bytes, value >> shift);
            prop_assert_eq!(take(&mut &bytes[..]), Some(value >> shift));
        }

        #[test]
        fn steps_read_back(from in any::<u32>(), to in any::<u32>()) {
            let mut bytes = Vec::new();
            put_step(&mut bytes, from, to);
            prop_assert_eq!(take_step(&mut &bytes[..], from), Some(to));
        }
    }

    #[test]
    fn what_no_writer_writes_is_refused() {
        let refused: [&[u8]; 4] = [&[], &[0x80], &[0x80, 0], &[0xff; 10]];
        for mut bytes in refused {
            assert_eq!(take(&mut bytes), None);
        }
    }
}
