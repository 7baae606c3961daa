//! One value of an event log: a header and a compressed run of events.
//!
//! Each header carries the hash of the whole previous value, so that a log whose last hash is
//! known cannot be changed anywhere without notice.

use super::LogError;

/// Version of the layout below.
const VERSION: u8 = 1;
/// The payload is a zstd frame.
const CODEC_ZSTD: u8 = 1;
/// zstd level: the kernel produces events faster than any higher level compresses them.
const ZSTD_LEVEL: i32 = 1;
/// Most bytes of events in one chunk, before compression.
const RAW_BYTES_MAX: usize = 4 << 20;

/// Consecutive events in the encoding of `sim_core::event`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Chunk {
    /// Sequence number of the first event.
    pub(crate) first_seq: u64,
    /// How many events.
    pub(crate) count: u32,
    /// The encoded events.
    pub(crate) bytes: Vec<u8>,
}

impl Chunk {
    /// The sequence number after the last event.
    pub(crate) fn next_seq(&self) -> u64 {
        self.first_seq + u64::from(self.count)
    }
}

/// The hash that links a value to the next one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ChainHash([u8; 32]);

impl ChainHash {
    /// Stands before the first value.
    pub(crate) const START: ChainHash = ChainHash([0; 32]);

    /// Hashes a stored value.
    pub(crate) fn of(value: &[u8]) -> ChainHash {
        ChainHash(*blake3::hash(value).as_bytes())
    }

    /// The raw hash.
    pub(crate) fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// A hash that was stored.
    pub(crate) fn from_bytes(bytes: [u8; 32]) -> ChainHash {
        ChainHash(bytes)
    }
}

/// The fixed part of a value, without its leading checksum.
struct Header {
    version: u8,
    codec: u8,
    count: u32,
    first_seq: u64,
    raw_bytes: u32,
    previous: [u8; 32],
}

/// Bytes of an encoded header, the checksum of all that follows it included.
const HEADER_BYTES: usize = 4 + 1 + 1 + 4 + 8 + 4 + 32;

impl Header {
    fn write(&self, into: &mut Vec<u8>) {
        into.push(self.version);
        into.push(self.codec);
        into.extend(self.count.to_be_bytes());
        into.extend(self.first_seq.to_be_bytes());
        into.extend(self.raw_bytes.to_be_bytes());
        into.extend(self.previous);
    }

    fn read(value: &[u8]) -> Option<Header> {
        let rest = value.get(4..)?;
        let (version, rest) = rest.split_first()?;
        let (codec, rest) = rest.split_first()?;
        let (count, rest) = rest.split_first_chunk()?;
        let (first_seq, rest) = rest.split_first_chunk()?;
        let (raw_bytes, rest) = rest.split_first_chunk()?;
        let (previous, _) = rest.split_first_chunk()?;
        Some(Header {
            version: *version,
            codec: *codec,
            count: u32::from_be_bytes(*count),
            first_seq: u64::from_be_bytes(*first_seq),
            raw_bytes: u32::from_be_bytes(*raw_bytes),
            previous: *previous,
        })
    }
}

/// Compresses a chunk into the value that follows the one hashed as `previous`.
///
/// # Errors
///
/// Fails if the chunk is larger than any the kernel emits, or zstd fails.
pub(super) fn encode(chunk: &Chunk, previous: ChainHash) -> std::io::Result<Vec<u8>> {
    let raw_bytes = u32::try_from(chunk.bytes.len())
        .ok()
        .filter(|_| chunk.bytes.len() <= RAW_BYTES_MAX)
        .ok_or_else(|| std::io::Error::other("an event chunk exceeds 4 MiB"))?;
    let header = Header {
        version: VERSION,
        codec: CODEC_ZSTD,
        count: chunk.count,
        first_seq: chunk.first_seq,
        raw_bytes,
        previous: previous.0,
    };
    let payload = zstd::bulk::compress(&chunk.bytes, ZSTD_LEVEL)?;
    let mut value = Vec::with_capacity(HEADER_BYTES + payload.len());
    value.extend([0; 4]);
    header.write(&mut value);
    value.extend(payload);
    let checksum = crc32c::crc32c(&value[4..]);
    value[..4].copy_from_slice(&checksum.to_be_bytes());
    Ok(value)
}

/// Checks and decompresses the value stored under `first_seq`.
///
/// `previous` is the hash of the value before it, where that is known.
///
/// # Errors
///
/// Fails if anything about the value is not as it was written.
pub(super) fn decode(
    first_seq: u64,
    value: &[u8],
    previous: Option<ChainHash>,
) -> Result<Chunk, LogError> {
    let failed = |what| LogError::Chunk {
        seq: first_seq,
        what,
    };
    let header = Header::read(value).ok_or(failed("the header is cut off"))?;
    let checksum = crc32c::crc32c(&value[4..]);
    if value[..4] != checksum.to_be_bytes() {
        return Err(failed("the checksum differs"));
    }
    if header.version != VERSION || header.codec != CODEC_ZSTD {
        return Err(failed("the format is unknown, perhaps of a newer vinod"));
    }
    if header.first_seq != first_seq {
        return Err(failed("it is stored under another number than its own"));
    }
    if previous.is_some_and(|previous| previous.0 != header.previous) {
        return Err(failed("the hash chain is broken"));
    }
    let raw_bytes = header.raw_bytes as usize;
    if raw_bytes > RAW_BYTES_MAX {
        return Err(failed("it claims to be larger than any chunk"));
    }
    let bytes = zstd::bulk::decompress(&value[HEADER_BYTES..], raw_bytes)
        .map_err(|_| failed("the payload does not decompress"))?;
    if bytes.len() != raw_bytes {
        return Err(failed("the payload has another length"));
    }
    Ok(Chunk {
        first_seq,
        count: header.count,
        bytes,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chunk() -> Chunk {
        Chunk {
            first_seq: 7,
            count: 3,
            bytes: b"three events".to_vec(),
        }
    }

    #[test]
    fn a_chunk_survives_its_encoding() {
        let value = encode(&chunk(), ChainHash::START).expect("it encodes");
        let back = decode(7, &value, Some(ChainHash::START)).expect("it decodes");
        assert_eq!(back, chunk());
    }

    #[test]
    fn every_changed_or_missing_byte_is_noticed() {
        let value = encode(&chunk(), ChainHash::START).expect("it encodes");
        for at in 0..value.len() {
            let mut changed = value.clone();
            changed[at] ^= 1;
            decode(7, &changed, Some(ChainHash::START)).expect_err("a bit is flipped");
            decode(7, &value[..at], Some(ChainHash::START)).expect_err("it is cut off");
        }
    }

    #[test]
    fn a_chunk_of_another_chain_is_noticed() {
        let value = encode(&chunk(), ChainHash::of(b"another")).expect("it encodes");
        let error = decode(7, &value, Some(ChainHash::START)).expect_err("the chain is broken");
        assert_eq!(
            error.to_string(),
            "event log damaged at event 7: the hash chain is broken"
        );
    }
}
