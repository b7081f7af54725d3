//! The charts of the shop's owner: each is a table whose bars are drawn beside their numbers, so that nothing is told by
//! colour or by a drawing alone.

use crate::domain::currency::Currency;
use crate::domain::event::Event;
use crate::domain::merchant::chart::{self, ATTEMPTS, Attempts, Revenue};
use crate::domain::merchant::kv::Place;
use crate::domain::money::Money;
use crate::domain::time::Timestamp;
use crate::merchant::failure::ShopError;
use crate::merchant::provider::ProviderName;
use crate::merchant::server::Desk;
use crate::merchant::web::page;
use crate::merchant::web::route::Outcome;
use crate::merchant::web::visit::Visit;
use crate::store::StoreError;
use crate::words::merchant::Words;
use askama::Template;
use hyper::StatusCode;
use std::sync::Arc;

/// Where it stands who the owner is: the id of a user, set by whoever runs the shop.
const OWNER: (&str, &str) = ("shop", "owner");

/// How far back the charts go.
const DAYS: i64 = 30;

/// The most events and entries that are counted.
const MOST: u32 = 50_000;

/// The longest bar.
const WIDE: i64 = 100;

/// A bar with what it says.
struct Bar {
    label: String,
    width: i64,
    is_hatched: bool,
    value: String,
}

/// A chart.
struct Chart {
    title: String,
    bars: Vec<Bar>,
}

#[derive(Template)]
#[template(
    ext = "html",
    source = r##"<h1>{{ words.charts_title }}</h1><p>{{ words.charts_text }}</p>
<svg width="0" height="0" aria-hidden="true"><defs><pattern id="hatch" width="4" height="4" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><rect width="4" height="4" fill="#fff"/><rect width="2" height="4" fill="#4b45c6"/></pattern></defs></svg>
{% for chart in charts %}<section class="card" aria-labelledby="chart-{{ loop.index }}"><h2 id="chart-{{ loop.index }}">{{ chart.title }}</h2>
{% if chart.bars.is_empty() %}<p class="soft">{{ words.chart_none }}</p>{% else %}<table class="chart"><tbody>{% for bar in chart.bars %}<tr><th scope="row">{{ bar.label }}</th>
<td class="drawn"><svg viewBox="0 0 100 10" width="100%" height="16" preserveAspectRatio="none" aria-hidden="true"><rect width="{{ bar.width }}" height="10" fill="{% if bar.is_hatched %}url(#hatch){% else %}#4b45c6{% endif %}" stroke="#4b45c6" stroke-width="1" vector-effect="non-scaling-stroke"/></svg></td>
<td class="number">{{ bar.value }}</td></tr>{% endfor %}</tbody></table>{% endif %}</section>{% endfor %}"##
)]
struct Charts {
    charts: Vec<Chart>,
    words: &'static Words,
}

/// The page.
pub async fn charts(desk: Arc<Desk>, visit: Visit) -> Outcome {
    let user = visit.signed_in()?.id.clone();
    let days = desk.database.look(move |base| {
        // A table whose rules the place breaks has no owner.
        let Ok(place) = Place::new(OWNER.0, OWNER.1) else { return Ok(None) };
        let is_owner = base.value(&place)?.is_some_and(|owner| owner == user);
        if is_owner { base.credits_by_day().map(Some) } else { Ok(None) }
    });
    let words = visit.words();
    let Some(days) = days.await? else {
        let (said, user) = (words.error_owner, &visit.signed_in()?.id);
        let command = format!("stripegym kv set {} {} {user}", OWNER.0, OWNER.1);
        return Ok(page::message(&visit, StatusCode::FORBIDDEN, said, Some(&command)));
    };
    let since = visit.now.plus(-DAYS * 86_400);
    let (attempts, revenue) = read(&desk, since).await?;
    let charts = [success(words, &attempts), declines(words, &attempts)];
    let mut charts: Vec<Chart> = charts.into();
    charts.extend(revenues(words, &revenue));
    charts.push(outstanding(words, &days));
    Ok(page::show(&visit, StatusCode::OK, words.charts_title, &Charts { charts, words }))
}

async fn read(desk: &Desk, since: Timestamp) -> Result<(Attempts, Revenue), ShopError> {
    let journal = Arc::clone(&desk.journal);
    let read = tokio::task::spawn_blocking(move || {
        let mut attempts = Attempts::default();
        for event in journal.events_of(ATTEMPTS, since, MOST)? {
            if let Ok(event) = Event::stored(&event.body) {
                attempts.count(&event);
            }
        }
        let entries = journal.entries(None, Some(MOST))?;
        Ok::<_, StoreError>((attempts, chart::revenue(&entries, since)))
    });
    Ok(read.await.unwrap_or(Err(StoreError::Gone))?)
}

/// Bars beside each other: the longest of them fills its place.
fn bars<L>(rows: Vec<(L, i64, String, bool)>) -> Vec<Bar>
where
    L: Into<String>,
{
    let most = rows.iter().map(|(_, value, ..)| *value).max().unwrap_or(0).max(1);
    let bar = |(label, value, shown, is_hatched): (L, i64, String, bool)| Bar {
        label: label.into(),
        width: share(value, most),
        is_hatched,
        value: shown,
    };
    rows.into_iter().map(bar).collect()
}

/// How much of the longest bar a value is.
fn share(value: i64, most: i64) -> i64 {
    let share = i128::from(value.max(0)) * i128::from(WIDE) / i128::from(most.max(1));
    i64::try_from(share).unwrap_or(WIDE).min(WIDE)
}

fn title(provider: &str) -> &str {
    match ProviderName::read(provider) {
        Some(known) => known.title(),
        None => provider,
    }
}

fn success(words: &'static Words, attempts: &Attempts) -> Chart {
    let bar = |(provider, (succeeded, all)): (&&'static str, &(u32, u32))| {
        let percent = share(i64::from(*succeeded), i64::from(*all));
        Bar {
            label: title(provider).to_owned(),
            width: percent,
            is_hatched: *provider != ProviderName::Stripe.name(),
            value: words.chart_of(&succeeded.to_string(), &all.to_string(), &percent.to_string()),
        }
    };
    let bars = attempts.by_provider.iter().map(bar).collect();
    Chart { title: words.chart_success.to_owned(), bars }
}

fn declines(words: &'static Words, attempts: &Attempts) -> Chart {
    let mut rows: Vec<_> = attempts.declines.iter().collect();
    rows.sort_by_key(|(code, count)| (std::cmp::Reverse(**count), (*code).clone()));
    let rows = rows
        .into_iter()
        .map(|(code, count)| (code.clone(), i64::from(*count), count.to_string(), false));
    Chart { title: words.chart_declines.to_owned(), bars: bars(rows.collect()) }
}

fn revenues(words: &'static Words, revenue: &Revenue) -> Vec<Chart> {
    if revenue.is_empty() {
        return vec![Chart { title: words.chart_revenue("").trim().to_owned(), bars: Vec::new() }];
    }
    let chart = |(currency, days): (
        &Currency,
        &std::collections::BTreeMap<(String, &'static str), i64>,
    )| {
        let rows = days.iter().map(|((day, provider), sum)| {
            let label = format!("{day} {}", title(provider));
            let is_hatched = *provider != ProviderName::Stripe.name();
            (label, *sum, Money::new(*sum, *currency).to_string(), is_hatched)
        });
        let title = words.chart_revenue(&currency.code().to_uppercase());
        Chart { title, bars: bars(rows.collect()) }
    };
    revenue.iter().map(chart).collect()
}

fn outstanding(words: &'static Words, days: &[(Timestamp, i64)]) -> Chart {
    let all = chart::running(days);
    let shown = usize::try_from(DAYS).unwrap_or(all.len());
    let rows =
        all.into_iter().rev().take(shown).map(|(day, sum)| (day, sum, sum.to_string(), false));
    let mut rows: Vec<_> = rows.collect();
    rows.reverse();
    Chart { title: words.chart_credits.to_owned(), bars: bars(rows) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_bar_fills_its_place_and_none_goes_beyond_it() {
        let rows = vec![
            ("a", 50, String::new(), false),
            ("b", 200, String::new(), true),
            ("c", -5, String::new(), false),
        ];
        let widths: Vec<i64> = bars(rows).iter().map(|it| it.width).collect();
        assert_eq!(widths, [25, 100, 0]);
        assert_eq!((share(i64::MAX, 1), share(1, 0), share(3, 4)), (100, 100, 75));
        assert!(bars(Vec::<(&str, i64, String, bool)>::new()).is_empty());
    }
}
