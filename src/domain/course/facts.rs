//! What a project's files tell about how it is set up and started, for a README that nobody has written yet.

use crate::domain::course::lint::{Project, readme};

/// What is known of a project.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// What it is built with, each with its version where that is pinned.
    pub stack: Vec<String>,
    /// Commands that set it up.
    pub install: Vec<String>,
    /// The command that starts its server.
    pub start: Option<String>,
    /// The variables that it reads.
    pub variables: Vec<String>,
    /// The files and folders at its top.
    pub files: Vec<String>,
}

/// How many dependencies are named.
const STACK_MAX: usize = 8;

/// Reads a project's files for it.
pub fn of(project: &Project) -> Facts {
    let mut facts = Facts::default();
    let has = |name: &str| project.file(name).is_some();
    let text = |name: &str| project.file(name).map_or("", |file| file.text.as_str());
    if has("requirements.txt") {
        facts.stack.push("Python".to_owned());
        let pinned = text("requirements.txt").lines().map(str::trim);
        let named = pinned.filter(|line| !line.is_empty() && !line.starts_with(['#', '-']));
        facts.stack.extend(named.take(STACK_MAX).map(|line| line.replace("==", " ")));
        facts.install.push("pip install -r requirements.txt".to_owned());
        let gunicorn = text("requirements.txt").contains("gunicorn");
        facts.start = match (gunicorn, has("app.py")) {
            (true, true) => Some("gunicorn app:app".to_owned()),
            (false, true) => Some("python app.py".to_owned()),
            _ => None,
        };
    }
    if has("package.json") {
        facts.stack.push("Node".to_owned());
        let read: serde_json::Value =
            serde_json::from_str(text("package.json")).unwrap_or_default();
        let named = read.get("dependencies").and_then(serde_json::Value::as_object);
        let named = named.into_iter().flatten().take(STACK_MAX);
        facts.stack.extend(
            named.map(|(name, version)| format!("{name} {}", version.as_str().unwrap_or_default())),
        );
        let locked = has("package-lock.json");
        facts.install.push(if locked { "npm ci" } else { "npm install" }.to_owned());
        let script = read.pointer("/scripts/start").is_some();
        facts.start = facts.start.or_else(|| script.then(|| "npm start".to_owned()));
    }
    if has("Cargo.toml") {
        facts.stack.push("Rust".to_owned());
        facts.install.push("cargo build --release".to_owned());
        facts.start = facts.start.or_else(|| Some("cargo run --release".to_owned()));
    }
    if has("go.mod") {
        facts.stack.push("Go".to_owned());
        facts.install.push("go build ./...".to_owned());
        facts.start = facts.start.or_else(|| Some("go run .".to_owned()));
    }
    if has(".env.example") {
        facts.install.push("cp .env.example .env".to_owned());
        let load = |start: String| format!("set -a && . ./.env && set +a\n{start}");
        facts.start = facts.start.map(load);
    }
    facts.variables = readme::read_by_code(project).into_keys().collect();
    let tops = project.files.iter().map(|file| match file.path.split_once('/') {
        Some((top, _)) => format!("{top}/"),
        None => file.path.clone(),
    });
    facts.files = tops.collect();
    facts.files.dedup();
    facts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::course::lint::Text;

    #[test]
    fn a_project_tells_how_it_is_set_up_and_started() {
        let files = vec![
            Text::new(".env.example", "PORT=4242\n"),
            Text::new(
                "app.py",
                "import os\nK = os.environ['STRIPE_SECRET_KEY']\nP = get('PORT')\n",
            ),
            Text::new("requirements.txt", "flask==3.1.3\n# web\ngunicorn==27.0.1\n"),
            Text::new("web/a.js", ""),
        ];
        let facts = of(&Project { files, tracked: None });
        assert_eq!(facts.stack, ["Python", "flask 3.1.3", "gunicorn 27.0.1"]);
        assert_eq!(facts.install, ["pip install -r requirements.txt", "cp .env.example .env"]);
        assert!(facts.start.is_some_and(|it| it.ends_with("\ngunicorn app:app")));
        assert_eq!(facts.variables, ["PORT", "STRIPE_SECRET_KEY"]);
        assert_eq!(facts.files, [".env.example", "app.py", "requirements.txt", "web/"]);
        assert_eq!(of(&Project::default()), Facts::default());
    }
}
