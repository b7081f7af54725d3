//! A README as somebody reads it who follows it: its sections, its blocks, which of them are to be run and what
//! each needs.

use crate::domain::course::known;

/// What a block's author wants done with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// Nothing: it is read only.
    None,
    /// It is run to its end.
    Run,
    /// It starts a server, which goes on running.
    Serve,
}

/// A fenced block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// Its place among all blocks, from 1.
    pub number: usize,
    /// The line of its first line of text, from 1.
    pub line: usize,
    /// The first word after the fence: `bash`.
    pub language: String,
    /// What is done with it.
    pub mark: Mark,
    /// Its lines.
    pub lines: Vec<String>,
}

/// A README, taken apart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Readme {
    /// Headings with their lines, from 1.
    pub headings: Vec<(usize, String)>,
    /// Fenced blocks.
    pub blocks: Vec<Block>,
    /// The line of a fence that is never closed.
    pub open: Option<usize>,
}

/// Languages of blocks that a shell understands.
const SHELLS: [&str; 5] = ["bash", "sh", "shell", "console", "zsh"];
impl Readme {
    /// Takes a text apart.
    pub fn read(text: &str) -> Self {
        let mut readme = Self::default();
        let mut asked = Mark::None;
        let mut fence: Option<(String, Block)> = None;
        for (at, line) in text.lines().enumerate() {
            let number = at + 1;
            let bare = line.trim_start();
            if let Some((end, mut block)) = fence.take() {
                if bare.trim_end() == end {
                    block.finish();
                    readme.blocks.push(block);
                } else {
                    block.lines.push(line.to_owned());
                    fence = Some((end, block));
                }
            } else if let Some((end, info)) = fence_of(bare) {
                let place = readme.blocks.len() + 1;
                fence = Some((end, Block::new(place, number + 1, info, asked)));
                readme.open = Some(number);
                asked = Mark::None;
            } else if let Some(mark) = mark_of(bare) {
                asked = mark;
            } else if !bare.is_empty() {
                asked = Mark::None;
                readme.heading(number, bare);
            }
        }
        readme.open = readme.open.filter(|_| fence.is_some());
        readme
    }

    fn heading(&mut self, line: usize, text: &str) {
        let level = text.chars().take_while(|c| *c == '#').count();
        if (1..=6).contains(&level) && text.chars().nth(level).is_some_and(char::is_whitespace) {
            let title = text.trim_start_matches('#').trim().trim_end_matches('#').trim();
            self.headings.push((line, title.to_owned()));
        }
    }

    /// The blocks that are to be run.
    pub fn runnable(&self) -> impl Iterator<Item = &Block> {
        self.blocks.iter().filter(|block| block.mark != Mark::None)
    }
}

/// The fence that a line begins, as it will end, and what follows it.
fn fence_of(line: &str) -> Option<(String, &str)> {
    let tick = line.chars().next().filter(|c| matches!(c, '`' | '~'))?;
    let long = line.chars().take_while(|c| *c == tick).count();
    let info = line.get(long..)?;
    (long >= 3 && !info.contains('`')).then(|| (tick.to_string().repeat(long), info.trim()))
}

/// What a comment before a block asks for: `<!-- run -->`, `<!-- run: serve -->`.
fn mark_of(line: &str) -> Option<Mark> {
    let inside = line.trim().strip_prefix("<!--")?.strip_suffix("-->")?.trim();
    match inside.split(':').map(str::trim).collect::<Vec<_>>().as_slice() {
        ["run"] => Some(Mark::Run),
        ["run", "serve"] => Some(Mark::Serve),
        _ => None,
    }
}

impl Block {
    fn new(number: usize, line: usize, info: &str, asked: Mark) -> Self {
        let mut words = info.split_whitespace();
        let language = words.next().unwrap_or_default().to_ascii_lowercase();
        let mark = match (words.next(), words.next()) {
            (Some("run"), Some("serve")) => Mark::Serve,
            (Some("run"), _) => Mark::Run,
            _ => asked,
        };
        let shell = SHELLS.contains(&language.as_str());
        let mark = if shell { mark } else { Mark::None };
        Self { number, line, language, mark, lines: Vec::new() }
    }

    /// A block whose last command stays in the background is one that serves.
    fn finish(&mut self) {
        let background = || {
            let commands = self.commands();
            commands
                .last()
                .is_some_and(|(_, command)| command.ends_with('&') && !command.ends_with("&&"))
        };
        if self.mark == Mark::Run && background() {
            self.mark = Mark::Serve;
        }
    }

    /// Whether a shell understands it.
    pub fn is_shell(&self) -> bool {
        SHELLS.contains(&self.language.as_str())
    }

    /// Whether it starts a server, by the names of those that are usual.
    pub fn starts_server(&self) -> bool {
        self.commands().iter().any(|(_, it)| known::find("serves", it).is_some())
    }

    /// Whether it shows a dialogue: commands after `$ `, answers without.
    fn is_dialogue(&self) -> bool {
        self.lines.iter().any(|line| line.trim_start().starts_with("$ "))
    }

    /// What a shell is given: as many lines as the block has, answers and prompts taken away.
    pub fn script(&self) -> String {
        let dialogue = self.is_dialogue();
        let mut continued = false;
        let mut script = String::new();
        for line in &self.lines {
            let command = line.trim_start().strip_prefix("$ ");
            let text = match command {
                Some(command) => command,
                None if !dialogue || continued => line.trim_start_matches("> "),
                None => "",
            };
            continued = text.ends_with('\\');
            script.push_str(text);
            script.push('\n');
        }
        script
    }

    /// The script of a server: its last command stays in the foreground, where it can be watched.
    pub fn server(&self) -> String {
        let script = self.script();
        match script.trim_end().strip_suffix('&') {
            Some(rest) if !rest.ends_with('&') => format!("{}\n", rest.trim_end()),
            _ => script,
        }
    }

    /// Its commands with their lines, comments and empty lines left out.
    pub fn commands(&self) -> Vec<(usize, String)> {
        let mut found: Vec<(usize, String)> = Vec::new();
        let mut open = false;
        for (at, line) in self.script().lines().enumerate() {
            let bare = line.split(" #").next().unwrap_or_default().trim();
            if bare.is_empty() || (bare.starts_with('#') && !open) {
                continue;
            }
            let text = bare.trim_end_matches('\\').trim_end();
            match found.last_mut().filter(|_| open) {
                Some((_, last)) => last.extend([" ", text]),
                None => found.push((self.line + at, text.to_owned())),
            }
            open = bare.ends_with('\\');
        }
        found
    }

    /// What it needs that cannot be had in a clean folder without a network: the word of the first such command.
    pub fn needs_outside(&self) -> Option<String> {
        let commands = self.commands();
        let parts = commands.iter().flat_map(|(_, it)| it.split(['|', ';', '&']));
        let mut firsts = parts.filter_map(|part| {
            let named = |word: &&str| !word.contains('=') || word.starts_with('-');
            part.split_whitespace().find(named)
        });
        let outside = firsts.find(|word| known::is("needs-outside", word)).map(str::to_owned);
        let stripe = commands.iter().any(|(_, it)| it.contains("https://api.stripe.com"));
        outside.or_else(|| stripe.then(|| "api.stripe.com".to_owned()))
    }
}

/// The sections that no heading stands for.
pub fn lacking(readme: &Readme) -> Vec<&'static str> {
    // The first heading is the name of the project.
    let titles: Vec<String> =
        readme.headings.iter().skip(1).map(|(_, title)| title.to_lowercase()).collect();
    let told =
        |words: &[String]| titles.iter().any(|title| words.iter().any(|it| title.contains(it)));
    known::groups("sections").filter(|(_, words)| !told(words)).map(|(name, _)| name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const TEXT: &str = "# Shop\n\n```bash\nrm x\n```\n\n<!-- run -->\n\n```bash\n# why\npip install \\\n  -r a.txt\n```\ntext\n\
        ~~~console run\n$ ls -l\na.txt\n$ cat a.txt\n~~~\n<!-- run: serve -->\n```sh\ngunicorn app:app\n```\n\
        ```bash run\nexport A=1\nnode app.js &\n```\n<!-- run -->\nprose\n```bash\nno\n```\n```python run\nno\n```\n";

    #[test]
    fn only_marked_blocks_are_run() {
        let readme = Readme::read(TEXT);
        let marks: Vec<Mark> = readme.blocks.iter().map(|block| block.mark).collect();
        let all =
            [Mark::None, Mark::Run, Mark::Run, Mark::Serve, Mark::Serve, Mark::None, Mark::None];
        assert_eq!(marks, all);
        let commands: Vec<(usize, String)> = readme.runnable().flat_map(Block::commands).collect();
        let commands: Vec<(usize, &str)> =
            commands.iter().map(|(at, it)| (*at, it.as_str())).collect();
        assert_eq!(
            commands,
            [
                (11, "pip install -r a.txt"),
                (16, "ls -l"),
                (18, "cat a.txt"),
                (22, "gunicorn app:app"),
                (25, "export A=1"),
                (26, "node app.js &"),
            ]
        );
        assert_eq!(readme.blocks[4].server(), "export A=1\nnode app.js\n");
        assert_eq!(readme.blocks[2].script(), "ls -l\n\ncat a.txt\n");
        assert_eq!(readme.open, None);
        assert_eq!(Readme::read("a\n```bash\nb\n").open, Some(2));
    }

    #[test]
    fn what_needs_more_than_this_machine_is_told() {
        let needs = |text: &str| {
            let readme = Readme::read(&format!("```bash run\n{text}\n```\n"));
            readme.blocks[0].needs_outside()
        };
        assert_eq!(needs("docker compose up").as_deref(), Some("docker"));
        assert_eq!(needs("A=1 sudo apt install x").as_deref(), Some("sudo"));
        assert_eq!(needs("cd x && stripe listen").as_deref(), Some("stripe"));
        assert_eq!(
            needs("curl https://api.stripe.com/v1/balance").as_deref(),
            Some("api.stripe.com")
        );
        assert_eq!(needs("stripegym day0 # like docker"), None);
        assert_eq!(needs("pip install -r requirements.txt"), None);
    }

    #[test]
    fn sections_are_known_in_both_languages() {
        let of = |titles: &[&str]| {
            let text = titles.iter().map(|title| format!("## {title}\n")).collect::<Vec<_>>();
            lacking(&Readme::read(&format!("# Shop\n{}", text.concat())))
        };
        let en = [
            "Features",
            "Requirements",
            "Setup",
            "Use and test",
            "Cautions",
            "Files",
            "Licence",
            "References",
        ];
        let ja = [
            "機能",
            "動作環境",
            "セットアップ",
            "使い方とテスト",
            "注意事項",
            "ファイル構成",
            "ライセンス",
            "参考資料",
        ];
        assert!(of(&en).is_empty() && of(&ja).is_empty());
        assert_eq!(
            of(&["Files", "License"]),
            ["features", "requirements", "setup", "use", "cautions", "references"]
        );
    }

    proptest! {
        #[test]
        fn no_text_upsets_the_parser(
            parts in proptest::collection::vec(
                prop_oneof!["\\PC{0,12}", Just("```bash run".to_owned()), Just("```".to_owned()),
                    Just("~~~~".to_owned()), Just("<!-- run -->".to_owned()), Just("# a".to_owned()),
                    Just("$ ls \\".to_owned()), Just("node &".to_owned())], 0..30),
        ) {
            let text = parts.join("\n");
            let readme = Readme::read(&text);
            let count = text.lines().count();
            for block in &readme.blocks {
                prop_assert!(block.line >= 1 && block.line <= count + 1);
                prop_assert_eq!(block.script().lines().count(), block.lines.len());
                for (line, _) in block.commands() {
                    prop_assert!(line <= count);
                }
                drop((block.server(), block.needs_outside()));
            }
            prop_assert!(lacking(&readme).len() <= known::groups("sections").count());
        }
    }
}
