//! Every sentence that the program says, as a value. The sentences themselves stand in one Fluent file a
//! language beside this one; a test proves that each exists in each and uses what it is given.

mod list;

pub use list::Msg;

use crate::domain::locale::Locale;
use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource};
use std::sync::OnceLock;

type Bundle = FluentBundle<FluentResource>;

static EN: OnceLock<Bundle> = OnceLock::new();
static JA: OnceLock<Bundle> = OnceLock::new();

const fn source(locale: Locale) -> &'static str {
    match locale {
        Locale::En => include_str!("en.ftl"),
        Locale::Ja => include_str!("ja.ftl"),
    }
}

fn bundle(locale: Locale) -> &'static Bundle {
    let cell = match locale {
        Locale::En => &EN,
        Locale::Ja => &JA,
    };
    cell.get_or_init(|| {
        let mut bundle = Bundle::new_concurrent(locale.code().parse().into_iter().collect());
        // The marks that isolate text of another direction would end up in terminals and logs.
        bundle.set_use_isolating(false);
        let resource = FluentResource::try_new(source(locale).to_owned());
        // What cannot be read is left out here and fails the tests below.
        let resource = resource.unwrap_or_else(|(partial, _)| partial);
        bundle.add_resource_overriding(resource);
        bundle
    })
}

/// A number as sentences take it.
pub fn int(number: impl TryInto<i64>) -> i64 {
    number.try_into().unwrap_or(i64::MAX)
}

/// The sentence of `msg` in `locale`.
pub fn say(locale: Locale, msg: &Msg<'_>) -> String {
    text(locale, &msg.key(), Some(&msg.args())).unwrap_or_else(|| msg.key())
}

/// The text of a key that is made from a table (`help-…` of the command line, `setting-…` of the settings);
/// `None` where the language lacks it.
pub fn look_up(locale: Locale, key: &str) -> Option<String> {
    text(locale, key, None)
}

fn text(locale: Locale, key: &str, args: Option<&FluentArgs<'_>>) -> Option<String> {
    let bundle = bundle(locale);
    let pattern = bundle.get_message(key)?.value()?;
    let mut errors = Vec::new();
    let text = bundle.format_pattern(pattern, args, &mut errors).into_owned();
    debug_assert!(errors.is_empty(), "{key}: {errors:?}");
    Some(text)
}

/// The keys of a language in the order of its file.
#[cfg(test)]
pub fn keys(locale: Locale) -> Vec<&'static str> {
    let starts = |line: &&str| line.starts_with(|c: char| c.is_ascii_lowercase());
    let lines = source(locale).lines().filter(starts);
    lines.filter_map(|line| line.split_once(" =").map(|(key, _)| key)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn the_files_parse_without_a_complaint_and_no_key_stands_twice() {
        for locale in Locale::ALL {
            let read = FluentResource::try_new(source(locale).to_owned());
            assert!(read.is_ok(), "{locale:?}: {:?}", read.err().map(|(_, errors)| errors));
            let keys = keys(locale);
            let set: BTreeSet<_> = keys.iter().collect();
            assert_eq!(set.len(), keys.len(), "{locale:?}");
        }
    }

    #[test]
    fn every_language_has_the_same_keys() {
        let [en, ja] = Locale::ALL.map(|locale| keys(locale).into_iter().collect::<BTreeSet<_>>());
        assert_eq!(en.difference(&ja).collect::<Vec<_>>(), Vec::<&&str>::new(), "not in ja");
        assert_eq!(ja.difference(&en).collect::<Vec<_>>(), Vec::<&&str>::new(), "not in en");
    }

    #[test]
    fn every_message_resolves_in_every_language_with_every_argument() {
        for locale in Locale::ALL {
            for msg in Msg::samples() {
                let (key, args) = (msg.key(), msg.args());
                let pattern = bundle(locale).get_message(&key).and_then(|found| found.value());
                let pattern = pattern.unwrap_or_else(|| panic!("{locale:?} lacks {key}"));
                let mut errors = Vec::new();
                let said = bundle(locale).format_pattern(pattern, Some(&args), &mut errors);
                assert!(errors.is_empty(), "{locale:?} {key}: {errors:?}");
                for (name, _) in args.iter() {
                    let used = source(locale).contains(&format!("${name}"));
                    assert!(used && !said.is_empty(), "{locale:?} {key} does not use ${name}");
                }
                for sample in msg.sample_texts() {
                    assert!(said.contains(sample), "{locale:?} {key} does not show {sample}");
                }
            }
        }
    }

    #[test]
    fn no_key_is_left_over() {
        let known: BTreeSet<String> = Msg::samples().iter().map(Msg::key).collect();
        let made_from_tables = |key: &&str| key.starts_with("help-") || key.starts_with("setting-");
        let left: Vec<_> = keys(Locale::En)
            .into_iter()
            .filter(|key| !made_from_tables(key) && !known.contains(*key))
            .collect();
        assert_eq!(left, Vec::<&str>::new());
    }
}
