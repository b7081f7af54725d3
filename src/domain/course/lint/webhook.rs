//! Rules about the webhook: that it verifies, and that it logs what helps and nothing else.

use crate::domain::course::known;
use crate::domain::course::lint::lines::{Kind, Line, has_word, tight};
use crate::domain::course::lint::{Hit, Project, Sight};

/// How many lines later a condition's branch still is.
const BRANCH_LINES: usize = 6;

fn verifies(code: &str) -> bool {
    known::find("verifies", code).is_some()
}

/// Whether a line registers the webhook's route.
fn is_route(line: &Line<'_>) -> bool {
    let names = ["/webhook", "/webhooks", "/stripe/webhook", "/stripe-webhook"];
    let quoted = |name: &str| {
        ['"', '\'', '`'].iter().any(|quote| line.code.contains(&format!("{quote}{name}{quote}")))
    };
    names.iter().any(|name| quoted(name))
}

/// Whether a line lets a condition on the secret decide about verification.
fn is_optional(lines: &[Line<'_>], at: usize) -> bool {
    let Some(line) = lines.get(at) else { return false };
    let code = line.code.trim_start();
    let condition = code.strip_prefix("if ").or_else(|| code.strip_prefix("if("));
    let Some(condition) = condition else { return false };
    let condition = condition.trim_matches(['(', ')', ' ', '{', ':', '\t']);
    let last =
        condition.rsplit(['.', '(']).next().unwrap_or_default().trim_matches(['"', '\'', ']', ')']);
    let named = known::words("secret-variables").iter();
    let bare = named.map(String::as_str).any(|name| condition == name || last.ends_with(name));
    let negated = condition.starts_with(['!']) || condition.starts_with("not ");
    let branch = lines.iter().skip(at + 1).take(BRANCH_LINES);
    bare && !negated && branch.clone().any(|line| verifies(line.code))
}

/// A check of signatures that is commented out, left to a condition, or nowhere.
pub(super) fn unverified(project: &Project) -> Sight {
    let mut sight = Sight::scan(project.of(&Kind::CODE), |_, lines| {
        let mut found = Vec::new();
        for (at, line) in lines.iter().enumerate() {
            let call = tight(line.comment);
            if known::words("verifies").iter().any(|mark| call.contains(&format!("{mark}("))) {
                found.push((line.number, line.comment.trim().to_owned()));
            }
            if is_optional(lines, at) {
                found.push((line.number, line.code.trim().to_owned()));
            }
        }
        found
    });
    let mut routes = Vec::new();
    let mut verified = false;
    for file in project.of(&Kind::CODE) {
        let lines = file.lines();
        verified = verified || lines.iter().any(|line| verifies(line.code));
        let route = lines.iter().find(|line| is_route(line));
        routes.extend(route.map(|line| Hit {
            path: file.path.clone(),
            line: line.number,
            what: line.code.trim().to_owned(),
        }));
    }
    if !verified {
        sight.hits.extend(routes);
    }
    sight
}

/// The arguments of the first call of `mark` in a line, parted at the outermost commas.
fn arguments(code: &str, mark: &str) -> Vec<String> {
    let own = |at: &usize| {
        let before = code.get(..*at).and_then(|it| it.chars().next_back());
        mark.starts_with('.') || !before.is_some_and(|c| c.is_alphanumeric() || c == '_')
    };
    let call = code.match_indices(mark).map(|(at, _)| at).find(own);
    let Some(rest) = call.and_then(|at| code.get(at + mark.len()..)) else { return Vec::new() };
    let mut parts = vec![String::new()];
    let (mut depth, mut quoted) = (0_usize, None);
    for c in rest.chars() {
        match (quoted, c) {
            (Some(quote), _) => quoted = (c != quote).then_some(quote),
            (None, '"' | '\'' | '`') => quoted = Some(c),
            (None, '(' | '[' | '{') => depth += 1,
            (None, ')' | ']' | '}') if depth == 0 => break,
            (None, ')' | ']' | '}') => depth -= 1,
            (None, ',') if depth == 0 => {
                parts.push(String::new());
                continue;
            }
            _ => {}
        }
        if let Some(last) = parts.last_mut() {
            last.push(c);
        }
    }
    parts.into_iter().map(|part| part.trim().to_owned()).collect()
}

/// Whether an argument is a whole payload, by itself or within a text.
fn is_payload(argument: &str) -> bool {
    let whole = |name: &str| {
        argument == name
            || ["json.dumps(", "JSON.stringify(", "str(", "repr("].iter().any(|call| {
                let rest = argument.strip_prefix(call);
                rest.is_some_and(|rest| {
                    rest.strip_prefix(name).is_some_and(|end| end.starts_with([',', ')']))
                })
            })
    };
    let within = |name: &str| {
        let plain = ["}", ":?}", ":#?}", "=}", "!r}"].iter();
        let mut plain = plain.map(|end| format!("{{{name}{end}"));
        argument.starts_with(['f', '"', '`', '\'']) && plain.any(|it| argument.contains(&it))
    };
    known::words("payloads").iter().any(|name| whole(name) || within(name))
}

pub(super) fn payload_print(project: &Project) -> Sight {
    Sight::scan(project.of(&Kind::CODE), |_, lines| {
        let mut found = Vec::new();
        for line in lines {
            let printed =
                |mark: &String| arguments(line.code, mark).iter().any(|it| is_payload(it));
            if known::words("prints").iter().any(printed) {
                found.push((line.number, line.code.trim().to_owned()));
            }
        }
        found
    })
}

/// A webhook in Python that prints, or whose project does not log at all.
pub(super) fn no_logging(project: &Project) -> Sight {
    let logs = project.of(&[Kind::Python]).any(|file| {
        file.lines().iter().any(|line| {
            let known = ["logging", "logger", "structlog", "loguru"];
            known.iter().any(|name| has_word(line.code, name))
        })
    });
    let routes = project.of(&[Kind::Python]).filter(|file| file.lines().iter().any(is_route));
    Sight::scan(routes, |_, lines| {
        let prints = lines.iter().find(|line| tight(line.code).starts_with("print("));
        let route = lines.iter().find(|line| is_route(line)).filter(|_| !logs);
        let found = prints.or(route);
        found.map(|line| (line.number, line.code.trim().to_owned())).into_iter().collect()
    })
}
