//! A PDF of text and lines, without a font in it: Latin letters in Helvetica, which every reader has, and all others
//! in a Japanese font that readers know by name. Each font says which letters its codes stand for, so that what is
//! read is what can be copied; letters beyond the first 65,536 have a font of their own, whose codes readers know
//! already. Pure.
//!
//! Lengths are thousandths of a point: there is no floating-point arithmetic.

use std::collections::BTreeSet;
use std::fmt::Write as _;

/// One point.
pub const POINT: i64 = 1_000;
/// The width of an A4 page.
pub const WIDTH: i64 = 595 * POINT;
/// Its height.
pub const HEIGHT: i64 = 842 * POINT;

/// How many characters one block of a character map holds at most.
const BLOCK: usize = 100;

/// The widths of the letters from blank to tilde in Helvetica, in thousandths of their size.
const WIDTHS: [i64; 95] = [
    278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278, 556, 556, 556,
    556, 556, 556, 556, 556, 556, 556, 278, 278, 584, 584, 584, 556, 1015, 667, 667, 722, 722, 667,
    611, 778, 722, 278, 500, 667, 556, 833, 722, 778, 667, 778, 722, 667, 611, 722, 667, 944, 667,
    667, 611, 278, 278, 278, 469, 556, 333, 556, 556, 500, 556, 556, 278, 556, 556, 222, 222, 500,
    222, 833, 556, 556, 556, 556, 333, 500, 278, 556, 500, 722, 500, 500, 500, 334, 260, 334, 584,
];

/// Letters that Helvetica has under codes of their own.
const OWN_CODES: [(char, u8); 10] = [
    ('€', 0x80),
    ('…', 0x85),
    ('‘', 0x91),
    ('’', 0x92),
    ('“', 0x93),
    ('”', 0x94),
    ('•', 0x95),
    ('–', 0x96),
    ('—', 0x97),
    ('™', 0x99),
];

/// In which font a letter is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Font {
    Latin,
    Basic,
    Beyond,
}

/// How letters look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weight {
    /// As usual.
    Plain,
    /// Bold; Japanese letters stay as they are.
    Bold,
}

/// Which side of a text its place is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// It begins there.
    Left,
    /// It ends there.
    Right,
}

/// A document under way.
#[derive(Debug, Default)]
pub struct Pdf {
    pages: Vec<String>,
    used: BTreeSet<char>,
}

impl Pdf {
    /// Begins a page; what follows stands on it.
    pub fn begin_page(&mut self) {
        self.pages.push(String::new());
    }

    /// Writes a text at a place, counted from the lower left corner.
    pub fn text(
        &mut self,
        (x, y): (i64, i64),
        size: i64,
        text: &str,
        (weight, side): (Weight, Side),
    ) {
        let x = if side == Side::Right { x - width(text, size) } else { x };
        let mut out = format!("BT 1 0 0 1 {} {} Tm\n", number(x), number(y));
        for (font, run) in runs(text) {
            let mut codes = String::new();
            for letter in run.chars() {
                match (font, code(letter)) {
                    (Font::Latin, Some(code)) => hex(&mut codes, &[code]),
                    _ => hex(&mut codes, &utf16(letter)),
                }
                if font == Font::Basic {
                    self.used.insert(letter);
                }
            }
            let name = match (font, weight) {
                (Font::Latin, Weight::Plain) => "F1",
                (Font::Latin, Weight::Bold) => "F2",
                (Font::Basic, _) => "F3",
                (Font::Beyond, _) => "F4",
            };
            put(&mut out, format_args!("/{name} {} Tf <{codes}> Tj\n", number(size)));
        }
        out.push_str("ET\n");
        self.draw(&out);
    }

    /// Draws a thin line across.
    pub fn rule(&mut self, (x, y): (i64, i64), length: i64) {
        let (from, to, y) = (number(x), number(x + length), number(y));
        self.draw(&format!("0.5 w {from} {y} m {to} {y} l S\n"));
    }

    fn draw(&mut self, operators: &str) {
        if self.pages.is_empty() {
            self.begin_page();
        }
        if let Some(page) = self.pages.last_mut() {
            page.push_str(operators);
        }
    }

    /// The file. `lang` is the language of its words.
    pub fn finish(self, title: &str, lang: &str) -> Vec<u8> {
        let pages = self.pages.len();
        // 1 and 2 are the catalog and its pages, 3 to 6 the fonts, 7 to 9 what the last two need, 10 the title.
        let first = 11;
        let kids: Vec<String> = (0..pages).map(|at| format!("{} 0 R", first + 2 * at)).collect();
        let mut named = String::new();
        hex(&mut named, &[0xFE, 0xFF]);
        title.chars().for_each(|letter| hex(&mut named, &utf16(letter)));
        let mut objects = vec![
            format!("<< /Type /Catalog /Pages 2 0 R /Lang ({lang}) >>"),
            format!("<< /Type /Pages /Kids [{}] /Count {pages} >>", kids.join(" ")),
            latin_font("Helvetica"),
            latin_font("Helvetica-Bold"),
            japanese_font(" /ToUnicode 9 0 R"),
            japanese_font(""),
            "<< /Type /Font /Subtype /CIDFontType0 /BaseFont /KozGoPr6N-Medium /CIDSystemInfo << /Registry (Adobe) /Ordering (Japan1) /Supplement 6 >> /FontDescriptor 8 0 R /DW 1000 >>".to_owned(),
            "<< /Type /FontDescriptor /FontName /KozGoPr6N-Medium /Flags 4 /FontBBox [-149 -374 1254 1008] /ItalicAngle 0 /Ascent 880 /Descent -120 /CapHeight 763 /StemV 99 >>".to_owned(),
            stream(&to_unicode(&self.used)),
            format!("<< /Title <{named}> /Producer (stripegym) >>"),
        ];
        for (at, page) in self.pages.iter().enumerate() {
            let content = first + 2 * at + 1;
            objects.push(format!(
                "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 {} {}] /Resources << /Font << /F1 3 0 R /F2 4 0 R /F3 5 0 R /F4 6 0 R >> >> /Contents {content} 0 R >>",
                number(WIDTH),
                number(HEIGHT)
            ));
            objects.push(stream(page));
        }
        assemble(&objects)
    }
}

/// How wide a text is.
pub fn width(text: &str, size: i64) -> i64 {
    text.chars().map(|letter| advance(letter) * size / 1_000).sum()
}

/// A text in lines that are at most so wide: they break at blanks, and between Japanese letters.
pub fn lines(text: &str, size: i64, most: i64) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in words(text) {
        let wide = width(&line, size) + width(word.trim_end(), size) > most;
        if wide && !line.is_empty() {
            lines.push(std::mem::take(&mut line).trim_end().to_owned());
        }
        line.push_str(word);
    }
    lines.push(line.trim_end().to_owned());
    lines
}

/// What a text may be broken between: a word with its blank, or one letter that is not Latin.
fn words(text: &str) -> Vec<&str> {
    let mut words = Vec::new();
    let mut from = 0;
    let mut letters = text.char_indices().peekable();
    while let Some((_, letter)) = letters.next() {
        let end = letters.peek().map_or(text.len(), |next| next.0);
        let next_is_wide = letters.peek().is_some_and(|next| code(next.1).is_none());
        if letter == ' ' || code(letter).is_none() || next_is_wide || end == text.len() {
            words.extend(text.get(from..end));
            from = end;
        }
    }
    words
}

/// The runs of a text in one font each.
fn runs(text: &str) -> Vec<(Font, String)> {
    let mut runs: Vec<(Font, String)> = Vec::new();
    for letter in text.chars() {
        let font = match code(letter) {
            Some(_) => Font::Latin,
            None if letter <= '\u{ffff}' => Font::Basic,
            None => Font::Beyond,
        };
        match runs.last_mut() {
            Some((of, run)) if *of == font => run.push(letter),
            _ => runs.push((font, letter.to_string())),
        }
    }
    runs
}

/// The code of a letter in Helvetica, where it has it.
fn code(letter: char) -> Option<u8> {
    match letter {
        ' '..='~' | '\u{a1}'..='\u{ff}' => u8::try_from(u32::from(letter)).ok(),
        // Two blanks that look alike.
        '\u{a0}' => Some(b' '),
        other => OWN_CODES.iter().find(|(known, _)| *known == other).map(|(_, code)| *code),
    }
}

fn advance(letter: char) -> i64 {
    let Some(code) = code(letter) else { return 1_000 };
    let at = usize::from(code).checked_sub(0x20).and_then(|at| WIDTHS.get(at));
    at.copied().unwrap_or(556)
}

fn latin_font(name: &str) -> String {
    format!("<< /Type /Font /Subtype /Type1 /BaseFont /{name} /Encoding /WinAnsiEncoding >>")
}

fn japanese_font(more: &str) -> String {
    format!(
        "<< /Type /Font /Subtype /Type0 /BaseFont /KozGoPr6N-Medium-UniJIS-UTF16-H /Encoding /UniJIS-UTF16-H /DescendantFonts [7 0 R]{more} >>"
    )
}

/// What the codes of the Japanese font stand for: they are UTF-16, and so is the map.
fn to_unicode(used: &BTreeSet<char>) -> String {
    let mut map = String::from(
        "/CIDInit /ProcSet findresource begin\n12 dict begin\nbegincmap\n/CMapType 2 def\n\
         /CMapName /Adobe-Identity-UCS def\n\
         /CIDSystemInfo << /Registry (Adobe) /Ordering (UCS) /Supplement 0 >> def\n\
         1 begincodespacerange\n<0000> <FFFF>\nendcodespacerange\n",
    );
    let all: Vec<char> = used.iter().copied().collect();
    for block in all.chunks(BLOCK) {
        put(&mut map, format_args!("{} beginbfchar\n", block.len()));
        for letter in block {
            let mut code = String::new();
            hex(&mut code, &utf16(*letter));
            put(&mut map, format_args!("<{code}> <{code}>\n"));
        }
        map.push_str("endbfchar\n");
    }
    map.push_str("endcmap\nCMapName currentdict /CMap defineresource pop\nend\nend\n");
    map
}

fn stream(content: &str) -> String {
    format!("<< /Length {} >>\nstream\n{content}endstream", content.len())
}

/// The objects with the table of where each begins.
fn assemble(objects: &[String]) -> Vec<u8> {
    let mut file = String::from("%PDF-1.5\n");
    let mut table = String::from("0000000000 65535 f \n");
    for (at, object) in objects.iter().enumerate() {
        put(&mut table, format_args!("{:010} 00000 n \n", file.len()));
        put(&mut file, format_args!("{} 0 obj\n{object}\nendobj\n", at + 1));
    }
    let (count, start) = (objects.len() + 1, file.len());
    put(&mut file, format_args!("xref\n0 {count}\n{table}"));
    put(&mut file, format_args!("trailer\n<< /Size {count} /Root 1 0 R /Info 10 0 R >>\n"));
    put(&mut file, format_args!("startxref\n{start}\n%%EOF\n"));
    file.into_bytes()
}

/// A letter's bytes in UTF-16, the higher ones first.
fn utf16(letter: char) -> Vec<u8> {
    let mut units = [0; 2];
    letter.encode_utf16(&mut units).iter().flat_map(|unit| unit.to_be_bytes()).collect()
}

fn hex(out: &mut String, bytes: &[u8]) {
    for byte in bytes {
        put(out, format_args!("{byte:02X}"));
    }
}

/// A length as PDF writes it.
fn number(length: i64) -> String {
    let sign = if length < 0 { "-" } else { "" };
    let (whole, part) = (length.abs() / POINT, length.abs() % POINT);
    if part == 0 { format!("{sign}{whole}") } else { format!("{sign}{whole}.{part:03}") }
}

fn put(out: &mut String, what: std::fmt::Arguments<'_>) {
    // Writing into a text cannot fail.
    out.write_fmt(what).unwrap_or_default();
}

/// Reads a PDF as one who knows nothing of this file would: for tests.
#[cfg(test)]
#[expect(clippy::string_slice, reason = "a test that meets the unexpected should stop there")]
pub(crate) mod reading {
    use std::collections::HashMap;

    /// The text of a PDF, each piece on a line, in the order in which it is drawn. Every code is looked up in what its
    /// font says of it.
    pub(crate) fn text_of(file: &[u8]) -> String {
        let file = String::from_utf8(file.to_vec()).unwrap();
        assert!(file.starts_with("%PDF-1."), "it begins as a PDF");
        let objects = objects(&file);
        let root = &objects[&number_after(&file, "/Root ")];
        let pages = &objects[&number_after(root, "/Pages ")];
        let kids = pages.split("/Kids [").nth(1).unwrap().split(']').next().unwrap();
        let kids: Vec<usize> =
            kids.split(" 0 R").filter_map(|kid| kid.trim().parse().ok()).collect();
        let mut said = String::new();
        for kid in kids {
            let page = &objects[&kid];
            let content = &objects[&number_after(page, "/Contents ")];
            let content = content.split_once("\nstream\n").unwrap().1;
            let mut font = String::new();
            for word in content.lines().flat_map(|line| line.split(' ')) {
                match word.chars().next() {
                    Some('/') => word[1..].clone_into(&mut font),
                    Some('<') => {
                        let codes = word.trim_matches(['<', '>']);
                        let of = &objects[&number_after(page, &format!("/{font} "))];
                        said.push_str(&decoded(codes, of, &objects));
                    }
                    Some('E') if word == "ET" => said.push('\n'),
                    _ => {}
                }
            }
        }
        said
    }

    /// The objects by number, found by the table at the file's end.
    fn objects(file: &str) -> HashMap<usize, String> {
        let start = number_after(&file[file.rfind("startxref").unwrap()..], "startxref\n");
        let table = &file[start..];
        assert!(table.starts_with("xref\n"), "the table is where the end says");
        let rows = table.lines().skip(3).take_while(|line| line.ends_with(" n "));
        let found = rows.enumerate().map(|(at, row)| {
            let from: usize = row[..10].parse().unwrap();
            let head = format!("{} 0 obj\n", at + 1);
            let body = file[from..].strip_prefix(&head).expect("an object is where the table says");
            let body = &body[..body.find("\nendobj").unwrap()];
            if let Some((dict, content)) = body.split_once("\nstream\n") {
                let length = number_after(dict, "/Length ");
                assert_eq!(&content[length..], "endstream", "a stream is as long as it says");
            }
            (at + 1, body.to_owned())
        });
        found.collect()
    }

    fn number_after(text: &str, mark: &str) -> usize {
        let from = text.find(mark).unwrap_or_else(|| panic!("no {mark} in {text}")) + mark.len();
        let digits = text[from..].chars().take_while(char::is_ascii_digit);
        digits.collect::<String>().parse().unwrap()
    }

    fn decoded(codes: &str, font: &str, objects: &HashMap<usize, String>) -> String {
        if font.contains("/WinAnsiEncoding") {
            let bytes = (0..codes.len() / 2).map(|at| &codes[2 * at..2 * at + 2]);
            let letter = |byte: &str| {
                let byte = u8::from_str_radix(byte, 16).unwrap();
                let own = super::OWN_CODES.iter().find(|(_, code)| *code == byte);
                own.map_or(char::from(byte), |(letter, _)| *letter)
            };
            return bytes.map(letter).collect();
        }
        let units = |hex: &str| -> Vec<u16> {
            let four = (0..hex.len() / 4).map(|at| &hex[4 * at..4 * at + 4]);
            four.map(|digits| u16::from_str_radix(digits, 16).unwrap()).collect()
        };
        if !font.contains("/ToUnicode") {
            assert!(font.contains("/Encoding /UniJIS-UTF16-H"), "{font} says what its codes are");
            return String::from_utf16(&units(codes)).unwrap();
        }
        let map = &objects[&number_after(font, "/ToUnicode ")];
        let pairs: HashMap<&str, &str> = map
            .lines()
            .filter_map(|line| line.strip_prefix('<')?.strip_suffix('>')?.split_once("> <"))
            .collect();
        let codes = (0..codes.len() / 4).map(|at| &codes[4 * at..4 * at + 4]);
        let units: Vec<u16> = codes.flat_map(|code| units(pairs[code])).collect();
        String::from_utf16(&units).unwrap()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const PLAIN: (Weight, Side) = (Weight::Plain, Side::Left);

    fn written(texts: &[&str]) -> String {
        let mut pdf = Pdf::default();
        for text in texts {
            pdf.text((POINT, POINT), 10 * POINT, text, PLAIN);
        }
        reading::text_of(&pdf.finish("Title 題", "ja"))
    }

    #[test]
    fn what_is_written_can_be_read_in_both_languages_and_beyond() {
        let texts = ["Invoice ¥1,200 – “A”", "適格請求書 INV-0001（税率10%）", "𠮷野家 ❤ ﾊﾝｶｸ"];
        assert_eq!(written(&texts), format!("{}\n", texts.join("\n")));
    }

    #[test]
    fn a_line_is_broken_at_blanks_and_between_japanese_letters() {
        let size = 10 * POINT;
        assert_eq!(lines("one two three", size, 45 * POINT), ["one two", "three"]);
        assert_eq!(lines("東京都千代田区", size, 35 * POINT), ["東京都", "千代田", "区"]);
        assert_eq!(lines("", size, POINT), [""]);
        assert_eq!(width("¥1,000", size), (556 + 4 * 556 + 278) * 10);
    }

    #[test]
    fn pages_follow_one_another() {
        let mut pdf = Pdf::default();
        pdf.begin_page();
        pdf.text((0, 0), POINT, "one", PLAIN);
        pdf.begin_page();
        pdf.rule((0, 0), POINT);
        pdf.text((0, 0), POINT, "two", PLAIN);
        assert_eq!(reading::text_of(&pdf.finish("", "en")), "one\ntwo\n");
    }

    proptest! {
        #[test]
        fn any_text_comes_out_as_it_went_in(text in "[^\\p{C}\u{a0}]{0,60}") {
            prop_assert_eq!(written(&[&text]), format!("{text}\n"));
            let (size, most) = (9 * POINT, 100 * POINT);
            let joined: String = lines(&text, size, most).concat();
            let dense = |text: &str| text.split_whitespace().collect::<String>();
            prop_assert_eq!(dense(&joined), dense(&text));
        }
    }
}
