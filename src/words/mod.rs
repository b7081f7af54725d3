//! What people read, in every language: one Fluent file a language and a subject, beside this one.
//!
//! A test proves that each sentence stands in every language and uses what it is given.

pub mod accept;
pub mod api_keys;
pub mod billing;
pub mod creem;
pub mod element;
pub mod merchant;
pub mod page;
pub mod shop;
pub mod wallet;

use crate::domain::locale::Locale;
use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource};
use std::sync::OnceLock;

type Bundle = FluentBundle<FluentResource>;

/// The sentences of one subject, in every language. A language is read when it is first spoken.
pub(crate) struct Book {
    sources: [&'static str; Locale::ALL.len()],
    bundles: [OnceLock<Bundle>; Locale::ALL.len()],
}

impl Book {
    /// A book from the text of its Fluent files, English first.
    pub(crate) const fn new(en: &'static str, ja: &'static str) -> Self {
        Self { sources: [en, ja], bundles: [OnceLock::new(), OnceLock::new()] }
    }

    fn bundle(&self, locale: Locale) -> &Bundle {
        let [en, ja] = &self.bundles;
        let cell = match locale {
            Locale::En => en,
            Locale::Ja => ja,
        };
        cell.get_or_init(|| {
            let mut bundle = Bundle::new_concurrent(locale.code().parse().into_iter().collect());
            // The marks that isolate text of another direction would end up in terminals and logs.
            bundle.set_use_isolating(false);
            let resource = FluentResource::try_new(self.source(locale).to_owned());
            // What cannot be read is left out here and fails the tests.
            let resource = resource.unwrap_or_else(|(partial, _)| partial);
            bundle.add_resource_overriding(resource);
            bundle
        })
    }

    pub(crate) const fn source(&self, locale: Locale) -> &'static str {
        let [en, ja] = self.sources;
        match locale {
            Locale::En => en,
            Locale::Ja => ja,
        }
    }

    /// The sentence under `key`; `None` where the language lacks it.
    pub(crate) fn text(
        &self,
        locale: Locale,
        key: &str,
        args: Option<&FluentArgs<'_>>,
    ) -> Option<String> {
        let bundle = self.bundle(locale);
        let pattern = bundle.get_message(key)?.value()?;
        let mut errors = Vec::new();
        let text = bundle.format_pattern(pattern, args, &mut errors).into_owned();
        debug_assert!(errors.is_empty(), "{key}: {errors:?}");
        Some(text)
    }

    /// The keys of a language in the order of its file.
    #[cfg(test)]
    pub(crate) fn keys(&self, locale: Locale) -> Vec<&'static str> {
        let starts = |line: &&str| line.starts_with(|c: char| c.is_ascii_lowercase());
        let lines = self.source(locale).lines().filter(starts);
        lines.filter_map(|line| line.split_once(" =").map(|(key, _)| key)).collect()
    }
}

/// The words of pages: each plain sentence is a member, each with something to put in a method.
macro_rules! words {
    (
        $(#[$about:meta])*
        $book:ident { $($plain:ident)* }
        with { $($filled:ident($($arg:ident),+))* }
    ) => {
        $(#[$about])*
        #[derive(Debug)]
        pub struct Words {
            /// The language.
            #[allow(dead_code, reason = "read only where a sentence has something put into it")]
            pub locale: $crate::domain::locale::Locale,
            $(
                #[doc = concat!("The sentence `", stringify!($plain), "`.")]
                pub $plain: &'static str,
            )*
        }

        impl Words {
            /// The words of a language.
            pub fn of(locale: $crate::domain::locale::Locale) -> &'static Self {
                use $crate::domain::locale::Locale;
                static EN: std::sync::OnceLock<Words> = std::sync::OnceLock::new();
                static JA: std::sync::OnceLock<Words> = std::sync::OnceLock::new();
                let cell = match locale {
                    Locale::En => &EN,
                    Locale::Ja => &JA,
                };
                cell.get_or_init(|| Self {
                    locale,
                    $( $plain: $crate::words::kept(&$book, locale, stringify!($plain)), )*
                })
            }

            $(
                #[doc = concat!("The sentence `", stringify!($filled), "`.")]
                pub fn $filled(&self, $($arg: &str),+) -> String {
                    let mut args = fluent_bundle::FluentArgs::new();
                    $( args.set(stringify!($arg), $arg); )+
                    let key = $crate::words::key(stringify!($filled));
                    $book.text(self.locale, &key, Some(&args)).unwrap_or(key)
                }
            )*

            /// The name of every sentence and what is put into it.
            #[cfg(test)]
            pub(crate) const NAMES: &'static [(&'static str, &'static [&'static str])] = &[
                $( (stringify!($plain), &[]), )*
                $( (stringify!($filled), &[$(stringify!($arg)),+]), )*
            ];
        }
    };
}
pub(crate) use words;

/// The key of the sentence `pay_to` in the Fluent files: `pay-to`.
pub(crate) fn key(name: &str) -> String {
    name.replace('_', "-")
}

/// A sentence that is kept for as long as the program runs: each language is read once.
pub(crate) fn kept(book: &Book, locale: Locale, name: &str) -> &'static str {
    let key = key(name);
    Box::leak(book.text(locale, &key, None).unwrap_or(key).into_boxed_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    type Names = &'static [(&'static str, &'static [&'static str])];

    fn books() -> [(&'static Book, Names); 8] {
        [
            (&api_keys::BOOK, api_keys::Words::NAMES),
            (&billing::BOOK, billing::Words::NAMES),
            (&creem::BOOK, creem::Words::NAMES),
            (&element::BOOK, element::Words::NAMES),
            (&merchant::BOOK, merchant::Words::NAMES),
            (&page::BOOK, page::Words::NAMES),
            (&shop::BOOK, shop::Words::NAMES),
            (&wallet::BOOK, wallet::Words::NAMES),
        ]
    }

    #[test]
    fn the_files_parse_without_a_complaint_and_no_key_stands_twice() {
        for (book, _) in books() {
            for locale in Locale::ALL {
                let read = FluentResource::try_new(book.source(locale).to_owned());
                assert!(read.is_ok(), "{locale:?}: {:?}", read.err().map(|(_, errors)| errors));
                let keys = book.keys(locale);
                let set: BTreeSet<_> = keys.iter().collect();
                assert_eq!(set.len(), keys.len(), "{locale:?}");
            }
        }
    }

    #[test]
    fn every_sentence_stands_in_every_language_and_uses_what_it_is_given() {
        for (book, names) in books() {
            for locale in Locale::ALL {
                for (name, args) in names {
                    let given = args.iter().map(|arg| (*arg, format!("<{arg}>")));
                    let given: FluentArgs<'_> = given.collect();
                    let said = book.text(locale, &key(name), Some(&given));
                    let said = said.unwrap_or_else(|| panic!("{locale:?} lacks {name}"));
                    for arg in *args {
                        assert!(said.contains(&format!("<{arg}>")), "{locale:?} {name}: {arg}");
                    }
                }
                let known: BTreeSet<String> = names.iter().map(|(name, _)| key(name)).collect();
                let left = book.keys(locale).into_iter().filter(|it| !known.contains(*it));
                assert_eq!(left.collect::<Vec<_>>(), Vec::<&str>::new(), "{locale:?}");
            }
        }
    }
}
