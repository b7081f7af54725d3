//! What the course recognises in the programs and documents of others: the lists of `lessons/known.toml`, by name.

use serde::Deserialize;
use std::collections::BTreeMap;
use std::sync::LazyLock;

const TEXT: &str = include_str!("../../../lessons/known.toml");
static KNOWN: LazyLock<Known> = LazyLock::new(|| toml::from_str(TEXT).unwrap_or_default());

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Known {
    words: BTreeMap<String, Vec<String>>,
    groups: BTreeMap<String, Vec<Vec<String>>>,
}

/// The words of a list.
pub fn words(list: &str) -> &'static [String] {
    KNOWN.words.get(list).map_or(&[], Vec::as_slice)
}

/// Whether a word is one of a list.
pub fn is(list: &str, word: &str) -> bool {
    words(list).iter().any(|it| it == word)
}

/// The first word of a list that a text has.
pub fn find(list: &str, text: &str) -> Option<&'static str> {
    words(list).iter().map(String::as_str).find(|it| text.contains(it))
}

/// The groups of a list: each with its name, and what stands for it.
pub fn groups(list: &str) -> impl Iterator<Item = (&'static str, &'static [String])> {
    let all = KNOWN.groups.get(list).into_iter().flatten();
    all.filter_map(|group| group.split_first().map(|(name, words)| (name.as_str(), words)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::path::Path;

    fn sources(folder: &Path, into: &mut String) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                sources(&path, into);
            } else {
                into.push_str(&fs::read_to_string(path).unwrap());
            }
        }
    }

    #[test]
    fn every_list_is_used_and_no_other_is_asked_for() {
        let known: Known = toml::from_str(TEXT).unwrap();
        let mut text = String::new();
        sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut text);
        for (name, is_empty) in
            known.words.iter().map(|(name, all)| (name, all.is_empty())).chain(
                known.groups.iter().map(|(name, all)| (name, all.iter().any(|it| it.len() < 2))),
            )
        {
            assert!(!is_empty && text.contains(&format!("\"{name}\"")), "{name}");
        }
        let named = |list: &str| known.words.contains_key(list) || known.groups.contains_key(list);
        for part in text.split("known::").skip(1) {
            let calls = ["words", "is", "find", "groups"].map(|call| format!("{call}(\""));
            let asked = calls.iter().find_map(|call| part.strip_prefix(call.as_str()));
            let Some((list, _)) = asked.and_then(|rest| rest.split_once('"')) else { continue };
            assert!(named(list), "{list}");
        }
    }
}
