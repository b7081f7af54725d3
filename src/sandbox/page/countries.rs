//! Names of countries for the lists of addresses: those that buyers mostly choose; others show their code.

use crate::domain::locale::Locale;

const NAMES: &[(&str, &str, &str)] = &[
    ("JP", "Japan", "日本"),
    ("US", "United States", "アメリカ合衆国"),
    ("GB", "United Kingdom", "イギリス"),
    ("AT", "Austria", "オーストリア"),
    ("AU", "Australia", "オーストラリア"),
    ("BE", "Belgium", "ベルギー"),
    ("BR", "Brazil", "ブラジル"),
    ("CA", "Canada", "カナダ"),
    ("CH", "Switzerland", "スイス"),
    ("CN", "China", "中国"),
    ("DE", "Germany", "ドイツ"),
    ("DK", "Denmark", "デンマーク"),
    ("ES", "Spain", "スペイン"),
    ("FI", "Finland", "フィンランド"),
    ("FR", "France", "フランス"),
    ("HK", "Hong Kong", "香港"),
    ("ID", "Indonesia", "インドネシア"),
    ("IE", "Ireland", "アイルランド"),
    ("IN", "India", "インド"),
    ("IT", "Italy", "イタリア"),
    ("KR", "South Korea", "韓国"),
    ("MX", "Mexico", "メキシコ"),
    ("MY", "Malaysia", "マレーシア"),
    ("NL", "Netherlands", "オランダ"),
    ("NO", "Norway", "ノルウェー"),
    ("NZ", "New Zealand", "ニュージーランド"),
    ("PH", "Philippines", "フィリピン"),
    ("PL", "Poland", "ポーランド"),
    ("PT", "Portugal", "ポルトガル"),
    ("SE", "Sweden", "スウェーデン"),
    ("SG", "Singapore", "シンガポール"),
    ("TH", "Thailand", "タイ"),
    ("TW", "Taiwan", "台湾"),
    ("VN", "Vietnam", "ベトナム"),
];

/// The countries to choose from, code and name; all that have names where `allowed` is empty.
pub fn choices(
    allowed: &[String],
    locale: Locale,
) -> Box<dyn Iterator<Item = (String, String)> + '_> {
    if allowed.is_empty() {
        return Box::new(
            NAMES.iter().map(move |entry| (entry.0.to_owned(), name(entry.0, locale))),
        );
    }
    Box::new(allowed.iter().map(move |code| (code.clone(), name(code, locale))))
}

fn name(code: &str, locale: Locale) -> String {
    let found = NAMES.iter().find(|entry| entry.0 == code);
    found.map_or(code, |entry| if locale == Locale::Ja { entry.2 } else { entry.1 }).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn allowed_countries_keep_their_order_and_unknown_ones_their_code() {
        let allowed = ["US".to_owned(), "AC".to_owned()];
        let names: Vec<_> = choices(&allowed, Locale::Ja).map(|(_, name)| name).collect();
        assert_eq!(names, ["アメリカ合衆国", "AC"]);
        assert!(choices(&[], Locale::En).count() > 30);
    }
}
