//! Files as rules read them: what sort each is, and its lines with code and comments told apart.

/// What sort of file one is, by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Python.
    Python,
    /// JavaScript or TypeScript.
    Script,
    /// Rust.
    Rust,
    /// Another language with `//` or `#`.
    OtherCode,
    /// HTML and templates of it.
    Page,
    /// A Dockerfile.
    Docker,
    /// A compose file.
    Compose,
    /// A shell script or a file of environment lines.
    Shell,
    /// Configuration: TOML, YAML, JSON, lists of dependencies.
    Config,
    /// Prose.
    Document,
    /// Anything else.
    Other,
}

impl Kind {
    /// Source code.
    pub const CODE: [Self; 4] = [Self::Python, Self::Script, Self::Rust, Self::OtherCode];

    /// Source code and what browsers get.
    pub const CODE_AND_PAGES: [Self; 5] =
        [Self::Python, Self::Script, Self::Rust, Self::OtherCode, Self::Page];

    /// What sort of file a path is.
    pub fn of(path: &str) -> Self {
        let name = path.rsplit('/').next().unwrap_or_default().to_ascii_lowercase();
        let stem = name.split('.').next().unwrap_or_default();
        let end = name.rsplit_once('.').map_or("", |(_, end)| end);
        if stem == "dockerfile" || stem == "containerfile" || end == "dockerfile" {
            return Self::Docker;
        }
        if name.starts_with(".env") || stem == "procfile" || stem == "makefile" {
            return Self::Shell;
        }
        let compose = stem == "compose" || stem.starts_with("docker-compose");
        match end {
            "yml" | "yaml" if compose => Self::Compose,
            "py" => Self::Python,
            "js" | "mjs" | "cjs" | "ts" | "mts" | "cts" => Self::Script,
            "rs" => Self::Rust,
            "go" | "rb" | "php" | "java" | "kt" | "cs" | "scala" | "swift" => Self::OtherCode,
            "html" | "htm" | "jinja" | "jinja2" | "j2" | "ejs" | "hbs" | "jsx" | "tsx" | "vue"
            | "svelte" | "erb" | "astro" => Self::Page,
            "sh" | "bash" | "env" => Self::Shell,
            "toml" | "yml" | "yaml" | "json" | "cfg" | "ini" | "txt" | "lock" | "mod" => {
                Self::Config
            }
            "md" | "rst" | "adoc" => Self::Document,
            _ => Self::Other,
        }
    }

    /// How a comment begins that ends with its line.
    const fn comment(self) -> &'static [&'static str] {
        match self {
            Self::Script | Self::Rust | Self::Page => &["//"],
            Self::OtherCode => &["//", "#"],
            Self::Python | Self::Docker | Self::Compose | Self::Shell | Self::Config => &["#"],
            Self::Document | Self::Other => &[],
        }
    }

    /// How a comment begins and ends that may have several lines.
    const fn block(self) -> Option<(&'static str, &'static str)> {
        match self {
            Self::Script | Self::Rust | Self::OtherCode => Some(("/*", "*/")),
            Self::Page => Some(("<!--", "-->")),
            _ => None,
        }
    }

    /// What texts begin and end with.
    const fn quotes(self) -> &'static [char] {
        match self {
            Self::Script => &['"', '\'', '`'],
            Self::Rust => &['"'],
            Self::Page | Self::Document | Self::Other => &[],
            _ => &['"', '\''],
        }
    }
}

/// A line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line<'t> {
    /// Its number, from 1.
    pub number: usize,
    /// What is not a comment.
    pub code: &'t str,
    /// The comment, with what begins it.
    pub comment: &'t str,
}

impl Line<'_> {
    /// Whether nothing is before its code.
    pub fn is_outermost(&self) -> bool {
        !self.code.is_empty() && !self.code.starts_with([' ', '\t'])
    }
}

/// The lines of a text. What stands within a Python text of several lines is neither code nor comment.
pub fn lines(kind: Kind, text: &str) -> Vec<Line<'_>> {
    let mut all = Vec::new();
    let (mut in_block, mut in_text) = (false, None);
    for (at, line) in text.lines().enumerate() {
        let number = at + 1;
        if let Some(end) = in_text {
            if line.matches(end).count() % 2 == 1 {
                in_text = None;
            }
            all.push(Line { number, code: "", comment: "" });
            continue;
        }
        if let Some((_, end)) = kind.block().filter(|_| in_block) {
            in_block = !line.contains(end);
            all.push(Line { number, code: "", comment: line });
            continue;
        }
        let (code, comment) = split(kind, line);
        if let Some((begin, end)) = kind.block()
            && comment.starts_with(begin)
        {
            in_block = !comment.contains(end);
        }
        if kind == Kind::Python {
            let odd = |quote: &&str| code.matches(*quote).count() % 2 == 1;
            in_text = ["\"\"\"", "'''"].into_iter().find(odd);
        }
        all.push(Line { number, code, comment });
    }
    all
}

/// A line's code, and the comment that ends it.
fn split(kind: Kind, line: &str) -> (&str, &str) {
    let mut quoted: Option<char> = None;
    let mut escaped = false;
    let mut before = ' ';
    for (at, c) in line.char_indices() {
        let rest = line.get(at..).unwrap_or_default();
        match quoted {
            _ if escaped => escaped = false,
            _ if c == '\\' => escaped = true,
            Some(quote) if c == quote => quoted = None,
            Some(_) => {}
            None if kind.quotes().contains(&c) => quoted = Some(c),
            None => {
                let block = kind.block().is_some_and(|(begin, _)| rest.starts_with(begin));
                let begins = |mark: &&str| rest.starts_with(*mark);
                let mark = kind.comment().iter().find(|mark| begins(mark));
                // `https://…` is no comment, and in configuration `a#b` is none either.
                let free = match mark {
                    Some(&"#") => kind == Kind::Python || before.is_whitespace(),
                    Some(_) => before != ':',
                    None => false,
                };
                if block || free {
                    return (line.get(..at).unwrap_or_default(), rest);
                }
            }
        }
        before = c;
    }
    (line, "")
}

/// Whether a text has a word: what stands around it belongs to no longer name.
pub fn has_word(text: &str, word: &str) -> bool {
    let part = |c: char| c.is_alphanumeric() || c == '_';
    text.match_indices(word).any(|(at, _)| {
        let before = text.get(..at).and_then(|it| it.chars().next_back());
        let after = text.get(at + word.len()..).and_then(|it| it.chars().next());
        !before.is_some_and(part) && !after.is_some_and(part)
    })
}

/// A line without its spaces.
pub fn tight(code: &str) -> String {
    code.chars().filter(|c| !c.is_whitespace()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(kind: Kind, line: &str) -> (String, String) {
        let (code, comment) = split(kind, line);
        (code.trim_end().to_owned(), comment.to_owned())
    }

    #[test]
    fn comments_end_a_line_outside_of_texts() {
        assert_eq!(parts(Kind::Python, "a = '#1' # b"), ("a = '#1'".into(), "# b".into()));
        assert_eq!(
            parts(Kind::Script, "x('http://a') // b"),
            ("x('http://a')".into(), "// b".into())
        );
        assert_eq!(parts(Kind::Script, "x(/\\/+$/, \"\") // b").0, "x(/\\/+$/, \"\")");
        assert_eq!(parts(Kind::Rust, "fn a<'a>() // '"), ("fn a<'a>()".into(), "// '".into()));
        assert_eq!(parts(Kind::Docker, "RUN a#b # c"), ("RUN a#b".into(), "# c".into()));
        assert_eq!(parts(Kind::Page, "a https://b"), ("a https://b".into(), String::new()));
    }

    #[test]
    fn blocks_and_long_texts_are_not_code() {
        let code = |kind, text: &'static str| -> Vec<&str> {
            lines(kind, text).into_iter().map(|line| line.code.trim()).collect()
        };
        assert_eq!(code(Kind::Rust, "a\n/* b\nc */\nd"), ["a", "", "", "d"]);
        assert_eq!(code(Kind::Python, "a\n\"\"\"b\nc\n\"\"\"\nd"), ["a", "\"\"\"b", "", "", "d"]);
        assert_eq!(code(Kind::Page, "a\n<!-- b -->\nc"), ["a", "", "c"]);
    }

    #[test]
    fn words_are_whole() {
        assert!(has_word("a.event)", "event") && !has_word("events", "event"));
        assert!(!has_word("my_event", "event") && !has_word("", "event"));
    }

    #[test]
    fn kinds_go_by_the_name() {
        for (path, kind) in [
            ("a/b.py", Kind::Python),
            ("Dockerfile.prod", Kind::Docker),
            ("docker-compose.override.yml", Kind::Compose),
            ("compose.yaml", Kind::Compose),
            (".env.example", Kind::Shell),
            ("requirements.txt", Kind::Config),
            ("templates/a.html", Kind::Page),
            ("README.md", Kind::Document),
            ("LICENSE", Kind::Other),
        ] {
            assert_eq!(Kind::of(path), kind, "{path}");
        }
    }
}
