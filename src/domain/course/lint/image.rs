//! Rules about images and what starts them.

use crate::domain::course::known;
use crate::domain::course::lint::lines::{Kind, Line};
use crate::domain::course::lint::secret::ignores_env;
use crate::domain::course::lint::{Hit, Project, Sight, Text};

/// A Dockerfile's instructions with their first line, continued lines joined.
fn instructions(lines: &[Line<'_>]) -> Vec<(usize, String, String)> {
    let mut all: Vec<(usize, String)> = Vec::new();
    let mut open = false;
    for line in lines.iter().filter(|line| !line.code.trim().is_empty()) {
        let code = line.code.trim();
        let text = code.trim_end_matches('\\').trim_end();
        match all.last_mut().filter(|_| open) {
            Some((_, last)) => last.extend([" ", text]),
            None => all.push((line.number, text.to_owned())),
        }
        open = code.ends_with('\\');
    }
    let parted = |(line, text): (usize, String)| {
        let (word, rest) = text.split_once(char::is_whitespace).unwrap_or((text.as_str(), ""));
        (line, word.to_ascii_uppercase(), rest.trim().to_owned())
    };
    all.into_iter().map(parted).collect()
}

/// What a COPY or ADD takes from the build's folder.
fn taken(rest: &str) -> Vec<String> {
    if rest.contains("--from=") {
        return Vec::new();
    }
    let clean = rest.trim_matches(['[', ']']).replace(['"', ','], " ");
    let words = clean.split_whitespace().filter(|word| !word.starts_with("--"));
    let mut words: Vec<String> = words.map(str::to_owned).collect();
    words.pop();
    words
}

/// A `.env` that the image takes along, and secrets that it is built with.
pub(super) fn env_in_image(project: &Project) -> Sight {
    let ignore = project.file(".dockerignore").map_or("", |file| file.text.as_str());
    let ignored = ignores_env(ignore);
    Sight::scan(project.of(&[Kind::Docker]), |_, lines| {
        let mut found = Vec::new();
        for (line, word, rest) in instructions(lines) {
            let whole = |source: &String| {
                matches!(source.trim_end_matches('/'), "." | "" | "*" | "./*" | "./.")
                    || source.starts_with(".env")
                    || source.starts_with("./.env")
            };
            let named = ["SECRET_KEY", "WEBHOOK_SECRET", "API_KEY"];
            let secret = named.iter().any(|name| rest.contains(name));
            let bad = match word.as_str() {
                "COPY" | "ADD" => !ignored && taken(&rest).iter().any(whole),
                "ARG" => secret,
                "ENV" => secret && !rest.ends_with('=') && !rest.ends_with("\"\""),
                _ => false,
            };
            if bad {
                let name = rest.split('=').next().unwrap_or_default();
                found.push((line, format!("{word} {name}")));
            }
        }
        found
    })
}

/// Images without a version.
pub(super) fn unpinned(project: &Project) -> Sight {
    Sight::scan(project.of(&[Kind::Docker]), |_, lines| {
        let mut stages: Vec<String> = Vec::new();
        let mut found = Vec::new();
        for (line, word, rest) in instructions(lines) {
            if word != "FROM" {
                continue;
            }
            let words: Vec<&str> =
                rest.split_whitespace().filter(|word| !word.starts_with("--")).collect();
            let image = words.first().copied().unwrap_or_default();
            let own = stages.iter().any(|stage| stage == image) || image == "scratch";
            let tag = image.rsplit('/').next().unwrap_or_default().split_once(':');
            let open = !image.contains(['@', '$']) && tag.is_none_or(|(_, tag)| tag == "latest");
            if open && !own {
                found.push((line, format!("FROM {image}")));
            }
            if let Some(at) = words.iter().position(|word| word.eq_ignore_ascii_case("as")) {
                stages.extend(words.get(at + 1).map(|stage| (*stage).to_owned()));
            }
        }
        found
    })
}

/// An installation whose layer is kept although the list has changed, or was never copied.
pub(super) fn build_cache(project: &Project) -> Sight {
    Sight::scan(project.of(&[Kind::Docker]), |_, lines| {
        let mut copied = String::new();
        let mut found = Vec::new();
        for (line, word, rest) in instructions(lines) {
            if matches!(word.as_str(), "COPY" | "ADD") {
                copied.push_str(&taken(&rest).join(" "));
                copied.push(' ');
            }
            let asked = |(mark, _): &(&str, &[String])| word == "RUN" && rest.contains(mark);
            let installs = known::groups("installs").find(asked);
            let Some((mark, lists)) = installs else { continue };
            let tools = ["--upgrade pip", "-U pip", "-g ", "--global"];
            if tools.iter().any(|tool| rest.contains(tool)) {
                continue;
            }
            let all = copied.split_whitespace().any(|it| matches!(it, "." | "./"));
            if !all && !lists.iter().any(|list| copied.contains(list.as_str())) {
                found.push((line, format!("RUN {mark}")));
            }
        }
        found
    })
}

/// The first number, and the one after a point, of a tag: `3.10-slim` is (3, 10).
fn version(tag: &str) -> Option<(u32, u32)> {
    let tag = tag.trim_start_matches('v');
    let number = |text: &str| {
        let digits: String = text.chars().take_while(char::is_ascii_digit).collect();
        digits.parse::<u32>().ok()
    };
    let (major, minor) = tag.split_once('.').unwrap_or((tag, ""));
    Some((number(major)?, number(minor).unwrap_or(u32::MAX)))
}

/// Whether an image is of a runtime that nobody mends any more.
fn is_old(image: &str) -> bool {
    let (name, tag) = image.split_once(':').unwrap_or((image, ""));
    let Some((major, minor)) = version(tag) else { return false };
    match name.rsplit('/').next().unwrap_or_default() {
        "python" => major < 3 || (major == 3 && minor <= 10),
        "node" => major <= 20,
        "debian" => major <= 10,
        "ruby" => major < 3 || (major == 3 && minor <= 2),
        "php" => major < 8 || (major == 8 && minor <= 1),
        _ => false,
    }
}

/// Runtimes and settings that are gone.
pub(super) fn old_runtime(project: &Project) -> Sight {
    let images = Sight::scan(project.of(&[Kind::Docker]), |_, lines| {
        let from = instructions(lines).into_iter().filter(|(_, word, _)| word == "FROM");
        let image = |rest: &str| {
            rest.split_whitespace()
                .find(|word| !word.starts_with("--"))
                .unwrap_or_default()
                .to_owned()
        };
        from.map(|(line, _, rest)| (line, image(&rest))).filter(|(_, it)| is_old(it)).collect()
    });
    let set = [
        Kind::Python,
        Kind::Docker,
        Kind::Compose,
        Kind::Shell,
        Kind::Config,
        Kind::Script,
        Kind::Rust,
        Kind::OtherCode,
    ];
    images.and(Sight::scan(project.of(&set), |_, lines| {
        let named = lines.iter().filter(|line| line.code.contains("FLASK_ENV"));
        named.map(|line| (line.number, "FLASK_ENV".to_owned())).collect()
    }))
}

/// The Python file that a command starts, if it does.
fn started(command: &str) -> Option<&str> {
    let clean = |c: char| c.is_whitespace() || matches!(c, '"' | ',' | '[' | ']' | '\'');
    let mut words = command.split(clean).filter(|word| !word.is_empty());
    words.find(|word| word.starts_with("python"))?;
    words.find(|word| !word.starts_with('-')).filter(|word| Kind::of(word) == Kind::Python)
}

/// Servers that are for development, in what starts in production.
pub(super) fn dev_server(project: &Project) -> Sight {
    let runs_itself = |name: &str| {
        let name = name.trim_start_matches("./");
        project.of(&[Kind::Python]).any(|file| {
            file.path.ends_with(name)
                && file.lines().iter().any(|line| line.code.contains(".run("))
                && !file.text.contains("waitress")
        })
    };
    let develops = |command: &str| {
        let plain = command.replace(['"', ',', '[', ']', '\''], " ");
        let plain = plain.split_whitespace().collect::<Vec<_>>().join(" ");
        let mark = known::find("develops", &plain).map(str::to_owned);
        mark.or_else(|| started(command).filter(|name| runs_itself(name)).map(str::to_owned))
    };
    let images = Sight::scan(project.of(&[Kind::Docker]), |_, lines| {
        let mut found = Vec::new();
        for (line, word, rest) in instructions(lines) {
            if matches!(word.as_str(), "CMD" | "ENTRYPOINT" | "ENV") {
                found.extend(develops(&rest).map(|what| (line, what)));
            }
        }
        found
    });
    let composes = Sight::scan(project.of(&[Kind::Compose]), |_, lines| {
        let commands = lines.iter().filter(|line| line.code.contains("command:"));
        commands.filter_map(|line| Some((line.number, develops(line.code)?))).collect()
    });
    images.and(composes)
}

/// Containers without a place of their own for what must outlive them.
pub(super) fn no_volume(project: &Project) -> Sight {
    let composes: Vec<&Text> = project.of(&[Kind::Compose]).collect();
    if !composes.is_empty() {
        let bare = |file: &&&Text| {
            !file.lines().iter().any(|line| line.code.trim_start().starts_with("volumes:"))
        };
        let none = composes.iter().all(|file| bare(&file));
        let first = composes.first().filter(|_| none);
        let hits = first.map(|file| Hit {
            path: file.path.clone(),
            line: 1,
            what: "– volumes:".to_owned(),
        });
        return Sight { looked: composes.len(), hits: hits.into_iter().collect() };
    }
    Sight::scan(project.of(&[Kind::Docker]), |_, lines| {
        let kept = instructions(lines).iter().any(|(_, word, _)| word == "VOLUME");
        if kept { Vec::new() } else { vec![(1, "– VOLUME".to_owned())] }
    })
}
