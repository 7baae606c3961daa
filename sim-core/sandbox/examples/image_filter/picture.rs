//! Pictures in the binary formats of netpbm: PGM (grey) and PPM (colour), a byte for each channel.

use std::error::Error;

/// Pixels of the largest picture.
const PIXELS_MAX: u64 = 64 << 20;
/// Words of a header: the format, width, height, the largest value.
const HEADER_WORDS: usize = 4;

/// A picture: rows from the top, pixels from the left, one byte for each channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Picture {
    pub(crate) width: u32,
    pub(crate) height: u32,
    /// 1 is grey, 3 is red, green and blue.
    pub(crate) channels: u32,
    pub(crate) bytes: Vec<u8>,
}

impl Picture {
    /// Draws rings of colour, with edges that a blur shows on.
    pub(crate) fn generate(width: u32, height: u32) -> Self {
        let mut bytes = Vec::with_capacity(width as usize * height as usize * 3);
        for y in 0..height {
            for x in 0..width {
                let (dx, dy) = (x.abs_diff(width / 2), y.abs_diff(height / 3));
                let ring = (u64::from(dx).pow(2) + u64::from(dy).pow(2)) / 2048;
                let [red, ..] = ring.to_le_bytes();
                let [green, ..] = (x ^ y).to_le_bytes();
                let blue = if ring % 16 < 8 { 0xff } else { 0x20 };
                bytes.extend([red, green, blue]);
            }
        }
        Self {
            width,
            height,
            channels: 3,
            bytes,
        }
    }

    /// Reads a PGM or PPM file.
    pub(crate) fn parse(file: &[u8]) -> Result<Self, Box<dyn Error>> {
        let mut words = Vec::new();
        let mut rest = file;
        while words.len() < HEADER_WORDS {
            rest = rest.trim_ascii_start();
            let is_comment = rest.starts_with(b"#");
            let ends = |byte: &u8| match is_comment {
                true => *byte == b'\n',
                false => byte.is_ascii_whitespace(),
            };
            let end = rest.iter().position(ends);
            let (word, after) = rest.split_at(end.ok_or("the picture ends in its header")?);
            if !is_comment {
                words.push(std::str::from_utf8(word)?);
            }
            rest = after;
        }
        let channels = match words[0] {
            "P5" => 1,
            "P6" => 3,
            other => return Err(format!("format {other}: only P5 (PGM) and P6 (PPM)").into()),
        };
        let (width, height): (u32, u32) = (words[1].parse()?, words[2].parse()?);
        if words[3] != "255" {
            return Err(format!("values up to {}: only 255", words[3]).into());
        }
        let pixels = u64::from(width) * u64::from(height);
        if pixels == 0 || pixels > PIXELS_MAX {
            return Err(format!("{pixels} pixels: 1 to {PIXELS_MAX}").into());
        }
        // One white space ends the header; what follows are the pixels.
        let bytes = rest.get(1..).unwrap_or_default();
        let expected = usize::try_from(pixels * u64::from(channels))?;
        if bytes.len() != expected {
            return Err(format!("{} bytes of pixels, not {expected}", bytes.len()).into());
        }
        Ok(Self {
            width,
            height,
            channels,
            bytes: bytes.to_vec(),
        })
    }

    /// Writes a PGM or PPM file.
    pub(crate) fn to_file(&self) -> Vec<u8> {
        let format = if self.channels == 1 { "P5" } else { "P6" };
        let mut file = format!("{format}\n{} {}\n255\n", self.width, self.height).into_bytes();
        file.extend(&self.bytes);
        file
    }

    pub(crate) fn pixels(&self) -> u64 {
        u64::from(self.width) * u64::from(self.height)
    }
}
