//! Readers of trace formats: plain page ids, ARC `.lis`, oracleGeneral.
//!
//! Each yields the same [`Trace`]; errors name the line or byte and what was expected there. Bytes
//! are untrusted: every line, record and expansion is bounded.
use std::io::{BufRead, Read};

use super::trace::{Trace, TraceBuilder, TraceError, TraceLimits};

/// Bytes of one oracleGeneral record: u32 time, u64 object, u32 size, i64 next access.
const ORACLE_RECORD_BYTES: usize = 24;
/// Bytes of offending text that an error quotes.
const QUOTE_BYTES_MAX: usize = 60;

/// How a trace is written down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TraceFormat {
    /// One decimal page id a line, optionally followed by `r` or `w`; `#` starts a comment.
    Pages,
    /// ARC's `.lis`: `start count ignored request` a line, which reads `count` pages from `start`.
    ArcLis,
    /// libCacheSim's oracleGeneral: packed 24-byte records; an object is a page, whatever its size.
    OracleGeneral,
}

impl TraceFormat {
    /// Guesses the format from a file name, which may end in `.zst`.
    pub fn from_file_name(name: &str) -> TraceFormat {
        let lower = name.to_ascii_lowercase();
        let stem = lower.strip_suffix(".zst").unwrap_or(&lower);
        if stem.ends_with(".lis") {
            TraceFormat::ArcLis
        } else if stem.contains("oraclegeneral") {
            TraceFormat::OracleGeneral
        } else {
            TraceFormat::Pages
        }
    }

    /// The name that [`TraceFormat::from_name`] understands.
    pub fn name(self) -> &'static str {
        match self {
            TraceFormat::Pages => "pages",
            TraceFormat::ArcLis => "arc-lis",
            TraceFormat::OracleGeneral => "oracle-general",
        }
    }

    /// The format with the given name.
    pub fn from_name(name: &str) -> Option<TraceFormat> {
        let all = [Self::Pages, Self::ArcLis, Self::OracleGeneral];
        all.into_iter().find(|format| format.name() == name)
    }
}

/// Reads a whole trace.
///
/// # Errors
///
/// Fails if the bytes are not of the format, cannot be read, or exceed a limit.
pub fn read_trace(
    reader: impl BufRead,
    format: TraceFormat,
    limits: TraceLimits,
) -> Result<Trace, TraceError> {
    let bytes_max = limits.bytes_max;
    // One byte more than allowed, so that reaching it tells that there is more.
    let mut reader = reader.take(bytes_max.saturating_add(1));
    let mut builder = TraceBuilder::new(limits);
    let read = match format {
        TraceFormat::Pages => for_each_line(&mut reader, limits, |line| {
            read_page_line(line, &mut builder)
        }),
        TraceFormat::ArcLis => for_each_line(&mut reader, limits, |line| {
            read_lis_line(line, &mut builder)
        }),
        TraceFormat::OracleGeneral => read_oracle(&mut reader, &mut builder),
    };
    if reader.limit() == 0 {
        return Err(TraceError::TooManyBytes { bytes_max });
    }
    read?;
    builder.finish()
}

/// One line of text and where it is.
struct Line<'a> {
    number: u64,
    bytes: &'a [u8],
}

impl Line<'_> {
    fn error(&self, expected: &'static str) -> TraceError {
        let quoted = &self.bytes[..self.bytes.len().min(QUOTE_BYTES_MAX)];
        TraceError::Line {
            line: self.number,
            text: String::from_utf8_lossy(quoted).into_owned(),
            expected,
        }
    }
}

/// Calls `each` with every line that holds more than blanks and comments.
fn for_each_line(
    reader: &mut impl BufRead,
    limits: TraceLimits,
    mut each: impl FnMut(&Line<'_>) -> Result<(), TraceError>,
) -> Result<(), TraceError> {
    let mut buffer = Vec::new();
    let mut number = 0;
    loop {
        number += 1;
        buffer.clear();
        let bytes_max = limits.line_bytes_max as u64 + 1;
        let mut line_reader = Read::take(&mut *reader, bytes_max);
        let read = line_reader.read_until(b'\n', &mut buffer)?;
        if read == 0 {
            return Ok(());
        }
        let too_long = buffer.len() > limits.line_bytes_max && !buffer.ends_with(b"\n");
        let code = buffer.split(|&byte| byte == b'#').next().unwrap_or(&buffer);
        let line = Line {
            number,
            bytes: code.trim_ascii(),
        };
        if too_long {
            return Err(line.error("a line of the allowed length"));
        }
        if !line.bytes.is_empty() {
            each(&line)?;
        }
    }
}

fn words<'a>(line: &Line<'a>) -> impl Iterator<Item = &'a [u8]> {
    let words = line.bytes.split(u8::is_ascii_whitespace);
    words.filter(|word| !word.is_empty())
}

fn decimal(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0u64, |value, byte| {
        let digit = byte.is_ascii_digit().then(|| u64::from(byte - b'0'))?;
        value.checked_mul(10)?.checked_add(digit)
    })
}

fn read_page_line(line: &Line<'_>, builder: &mut TraceBuilder) -> Result<(), TraceError> {
    let expected = "a decimal page number, optionally followed by r or w";
    let mut words = words(line);
    let page = words.next().and_then(decimal);
    let page = page.ok_or_else(|| line.error(expected))?;
    let write = match words.next() {
        None | Some(b"r" | b"R") => false,
        Some(b"w" | b"W") => true,
        Some(_) => return Err(line.error(expected)),
    };
    if words.next().is_some() {
        return Err(line.error(expected));
    }
    builder.push(page, write)
}

fn read_lis_line(line: &Line<'_>, builder: &mut TraceBuilder) -> Result<(), TraceError> {
    let expected = "four decimal numbers: start, count, ignored, request";
    let mut fields = [0u64; 4];
    let mut words = words(line);
    for field in &mut fields {
        let value = words.next().and_then(decimal);
        *field = value.ok_or_else(|| line.error(expected))?;
    }
    if words.next().is_some() {
        return Err(line.error(expected));
    }
    let [start, count, ..] = fields;
    if count == 0 {
        return Err(line.error("a range of pages: its count, the second number, is zero"));
    }
    let end = start.checked_add(count);
    let end = end.ok_or_else(|| line.error("a range of pages: it ends beyond 64 bits"))?;
    // A short line may name more pages than memory holds.
    builder.reserve(count)?;
    (start..end).try_for_each(|page| builder.push(page, false))
}

fn read_oracle(reader: &mut impl BufRead, builder: &mut TraceBuilder) -> Result<(), TraceError> {
    let mut record = [0u8; ORACLE_RECORD_BYTES];
    let mut offset = 0;
    loop {
        let mut filled = 0;
        while filled < record.len() {
            match reader.read(&mut record[filled..]) {
                Ok(0) => break,
                Ok(read) => filled += read,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        }
        if filled == 0 {
            return Ok(());
        }
        if filled < record.len() {
            let problem = "the last record is cut off: oracleGeneral has 24-byte records";
            return Err(TraceError::Record { offset, problem });
        }
        let object = u64::from_le_bytes(record[4..12].try_into().expect("eight bytes"));
        builder.push(object, false)?;
        offset += ORACLE_RECORD_BYTES as u64;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(format: TraceFormat, bytes: &[u8]) -> Result<Trace, TraceError> {
        read_trace(bytes, format, TraceLimits::default())
    }

    fn ids(trace: &Trace) -> Vec<u64> {
        let pages = trace.references().iter().map(|it| it.page());
        pages
            .map(|page| trace.page_id(page).expect("listed"))
            .collect()
    }

    fn message(format: TraceFormat, bytes: &[u8]) -> String {
        read(format, bytes)
            .expect_err("must be refused")
            .to_string()
    }

    #[test]
    fn plain_page_ids_may_have_comments_and_writes() {
        let text = b"# my trace\n7\n  9 w # write\n\n7 r\r\n";
        let trace = read(TraceFormat::Pages, text).expect("a trace");
        assert_eq!(ids(&trace), [7, 9, 7]);
        let writes: Vec<bool> = trace.references().iter().map(|it| it.is_write()).collect();
        assert_eq!(writes, [false, true, false]);
    }

    #[test]
    fn arc_ranges_are_expanded() {
        let trace = read(TraceFormat::ArcLis, b"10 3 0 0\n4 1 0 1\n").expect("a trace");
        assert_eq!(ids(&trace), [10, 11, 12, 4]);
    }

    #[test]
    fn oracle_records_give_their_objects() {
        let mut bytes = vec![0u8; 2 * ORACLE_RECORD_BYTES];
        bytes[4] = 5;
        bytes[ORACLE_RECORD_BYTES + 11] = 1;
        let trace = read(TraceFormat::OracleGeneral, &bytes).expect("a trace");
        assert_eq!(ids(&trace), [5, 1 << 56]);
        let cut = message(TraceFormat::OracleGeneral, &bytes[..30]);
        assert!(
            cut.starts_with("byte 24: the last record is cut off"),
            "{cut}"
        );
    }

    #[test]
    fn a_malformed_line_is_named_and_quoted() {
        let page = message(TraceFormat::Pages, b"1\n2\nthree\n");
        assert_eq!(
            page,
            "line 3: \"three\" is not a decimal page number, optionally followed by r or w"
        );
        let big = message(TraceFormat::Pages, b"18446744073709551616\n");
        assert!(big.starts_with("line 1: \"18446744073709551616\""), "{big}");
        for lis in [&b"1 2 3"[..], b"1 1 0 0 9", b"1 x 0 0"] {
            let lis = message(TraceFormat::ArcLis, lis);
            assert!(lis.contains("four decimal numbers"), "{lis}");
        }
        let none = message(TraceFormat::ArcLis, b"1 0 0 0");
        assert!(
            none.contains("its count, the second number, is zero"),
            "{none}"
        );
        let long = vec![b'1'; 5000];
        let long = message(TraceFormat::Pages, &long);
        assert!(long.contains("a line of the allowed length"), "{long}");
    }

    /// A line of thirty bytes once kept the daemon allocating until the machine had no memory.
    #[test]
    fn a_short_line_that_names_more_pages_than_fit_is_refused_at_once() {
        for lis in [&b"0 4000000000 0 1\n"[..], b"0 18446744073709551615 0 1\n"] {
            let refused = message(TraceFormat::ArcLis, lis);
            assert!(refused.contains("more than"), "{refused}");
        }
        let beyond = message(TraceFormat::ArcLis, b"18446744073709551615 2 0 1\n");
        assert!(beyond.contains("beyond 64 bits"), "{beyond}");
    }

    #[test]
    fn a_trace_without_references_is_empty() {
        for format in [
            TraceFormat::Pages,
            TraceFormat::ArcLis,
            TraceFormat::OracleGeneral,
        ] {
            let empty = message(format, b"");
            assert_eq!(empty, "the trace is empty: it holds no reference");
        }
    }

    /// A few compressed bytes once expanded to blank lines without end.
    #[test]
    fn a_trace_of_blank_lines_has_an_end() {
        let limits = TraceLimits {
            bytes_max: 1000,
            ..TraceLimits::default()
        };
        let blank = std::io::BufReader::new(std::io::repeat(b'\n'));
        let error = read_trace(blank, TraceFormat::Pages, limits).expect_err("too long");
        assert!(matches!(
            error,
            TraceError::TooManyBytes { bytes_max: 1000 }
        ));
        let whole = b"7 \n".repeat(250);
        assert!(read_trace(&whole[..], TraceFormat::Pages, limits).is_ok());
    }

    #[test]
    fn an_arc_range_cannot_exceed_the_limit() {
        let limits = TraceLimits {
            references_max: 1000,
            ..TraceLimits::default()
        };
        let huge = &b"0 18446744073709551615 0 0\n"[..];
        let error = read_trace(huge, TraceFormat::ArcLis, limits).expect_err("too many");
        assert!(matches!(error, TraceError::TooManyReferences { .. }));
    }

    #[test]
    fn formats_are_guessed_from_file_names() {
        let guess = TraceFormat::from_file_name;
        assert_eq!(guess("P6.lis.zst"), TraceFormat::ArcLis);
        assert_eq!(guess("w12.oracleGeneral.zst"), TraceFormat::OracleGeneral);
        assert_eq!(guess("sqlite.pages.txt.zst"), TraceFormat::Pages);
        assert_eq!(TraceFormat::from_name("arc-lis"), Some(TraceFormat::ArcLis));
        assert_eq!(TraceFormat::from_name("vscsi"), None);
    }
}
