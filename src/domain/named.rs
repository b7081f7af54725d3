//! Enums whose variants have a word each: the one that files, flags and JSON use.

/// Declares such an enum with its words, in both directions.
macro_rules! named {
    ($(#[$about:meta])* $vis:vis enum $name:ident { $($(#[$each:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[derive(serde::Serialize, serde::Deserialize)]
        $vis enum $name {
            $($(#[$each])* #[serde(rename = $word)] $variant,)+
        }

        #[allow(dead_code, reason = "not each of them is asked for in each direction")]
        impl $name {
            /// Every one, in order.
            pub const ALL: [Self; [$($word),+].len()] = [$(Self::$variant),+];

            /// Its word.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)+
                }
            }

            /// The one of a word.
            pub fn read(word: &str) -> Option<Self> {
                Self::ALL.into_iter().find(|it| it.name() == word)
            }
        }
    };
}

pub(crate) use named;
