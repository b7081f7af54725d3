//! A file's bytes as UTF-8, whatever a spreadsheet or a bank wrote them in.

use encoding_rs::{CoderResult, Decoder, Encoding, SHIFT_JIS, UTF_8, UTF_16BE, UTF_16LE};
use std::io::{self, BufRead, BufReader, Read};

/// How much of a file is looked at to tell its encoding.
const LOOKED_AT: usize = 256 * 1024;

/// A file that is read as UTF-8, and the encoding that it is in.
pub fn open<R: Read + 'static>(
    file: R,
    named: Option<&str>,
) -> io::Result<(Box<dyn Read>, &'static str)> {
    let mut file = BufReader::with_capacity(LOOKED_AT, file);
    // A short read tells less, and never something wrong: what follows is checked as it is read.
    let head = file.fill_buf()?;
    let named = match named {
        Some(label) => Some(Encoding::for_label(label.as_bytes()).ok_or_else(|| {
            io::Error::new(io::ErrorKind::InvalidInput, format!("`{label}` is no encoding"))
        })?),
        None => None,
    };
    let marked = Encoding::for_bom(head);
    let encoding = named.or(marked.map(|(encoding, _)| encoding)).unwrap_or_else(|| guess(head));
    let mark = marked.filter(|(found, _)| *found == encoding).map_or(0, |(_, length)| length);
    file.consume(mark);
    if encoding == UTF_8 {
        return Ok((Box::new(file), encoding.name()));
    }
    let decoder = encoding.new_decoder_without_bom_handling();
    Ok((
        Box::new(Decoded { file, decoder, ready: Vec::new(), at: 0, ended: false }),
        encoding.name(),
    ))
}

/// UTF-8 where it can be that; zeros in every second place are UTF-16; else what Japanese spreadsheets write.
fn guess(head: &[u8]) -> &'static Encoding {
    let zeros = |odd: usize| {
        let of = head.iter().skip(odd).step_by(2).take(64);
        head.len() >= 4
            && of.filter(|byte| **byte == 0).count() * 2 > head.len().div_ceil(2).min(64)
    };
    match std::str::from_utf8(head) {
        _ if zeros(1) => UTF_16LE,
        _ if zeros(0) => UTF_16BE,
        Ok(_) => UTF_8,
        // Cut in the middle of a character.
        Err(error) if error.error_len().is_none() => UTF_8,
        Err(_) => SHIFT_JIS,
    }
}

struct Decoded<R> {
    file: BufReader<R>,
    decoder: Decoder,
    ready: Vec<u8>,
    at: usize,
    ended: bool,
}

impl<R: Read> Read for Decoded<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        while self.at >= self.ready.len() && !self.ended {
            let input = self.file.fill_buf()?;
            let last = input.is_empty();
            self.ready.resize(16 * 1024, 0);
            let (result, read, written, broken) =
                self.decoder.decode_to_utf8(input, &mut self.ready, last);
            if broken {
                let what =
                    format!("a character that is none in {}", self.decoder.encoding().name());
                return Err(io::Error::new(io::ErrorKind::InvalidData, what));
            }
            self.file.consume(read);
            self.ready.truncate(written);
            self.at = 0;
            self.ended = last && result == CoderResult::InputEmpty;
        }
        let rest = self.ready.get(self.at..).unwrap_or_default();
        let count = rest.len().min(out.len());
        if let (Some(to), Some(from)) = (out.get_mut(..count), rest.get(..count)) {
            to.copy_from_slice(from);
        }
        self.at += count;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: Vec<u8>, named: Option<&str>) -> (String, &'static str) {
        let (mut file, name) = open(io::Cursor::new(bytes), named).unwrap();
        let mut text = String::new();
        file.read_to_string(&mut text).unwrap();
        (text, name)
    }

    #[test]
    fn what_spreadsheets_and_banks_write_is_read() {
        let text = "日付,金額\n2026/01/01,￥1,234\n".repeat(2_000);
        let utf16 = |le: bool, mark: bool| -> Vec<u8> {
            let units = mark.then_some(0xFEFF).into_iter().chain(text.encode_utf16());
            units
                .flat_map(|unit: u16| if le { unit.to_le_bytes() } else { unit.to_be_bytes() })
                .collect()
        };
        let marked = [b"\xEF\xBB\xBF", text.as_bytes()].concat();
        let (sjis, _, _) = SHIFT_JIS.encode(&text);
        for (bytes, name) in [
            (text.clone().into_bytes(), "UTF-8"),
            (marked, "UTF-8"),
            (utf16(true, true), "UTF-16LE"),
            (utf16(false, true), "UTF-16BE"),
            (sjis.into_owned(), "Shift_JIS"),
        ] {
            assert_eq!(read(bytes, None), (text.clone(), name), "{name}");
        }
        let plain: Vec<u8> = "id,amount\n1,2\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(read(plain, None).0, "id,amount\n1,2\n");
        assert_eq!(read(b"a\xE9".to_vec(), Some("windows-1252")).0, "aé");
        assert!(open(io::Cursor::new(Vec::new()), Some("klingon")).is_err());
    }
}
