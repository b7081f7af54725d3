//! The settings of the learner's project: made from its example where it has none.

use crate::app::context::Context;
use crate::config::keys;
use crate::domain::fault::{Fault, FaultKind};
use crate::domain::host::is_loopback;
use crate::domain::notice::Notice;
use std::fs;
use std::io::{ErrorKind, Write as _};
use std::path::Path;

/// Makes `.env` from `.env.example` in a project that has the one and not the other, and says so. What is there
/// is never written over.
pub fn make(context: &Context, project: &Path) -> Result<(), Fault> {
    if let Some(path) = copy(project)? {
        context.notices.say(Notice::EnvMade { path });
    }
    Ok(())
}

/// The path of what was made.
fn copy(project: &Path) -> Result<Option<String>, Fault> {
    let path = project.join(".env");
    let Ok(example) = fs::read_to_string(project.join(".env.example")) else { return Ok(None) };
    let mut options = fs::OpenOptions::new();
    // Fails where anything of that name is there, a link that leads nowhere included.
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let shown = path.display().to_string();
    let failed = |error| Fault::because(FaultKind::File { path: shown.clone() }, error);
    let mut file = match options.open(&path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::AlreadyExists => return Ok(None),
        Err(error) => return Err(failed(error)),
    };
    file.write_all(at_home(&example).as_bytes()).map_err(failed)?;
    Ok(Some(shown))
}

/// The example's text; where its made-up key would lead the course to Stripe, with the mode that keeps it here.
fn at_home(example: &str) -> String {
    let value = |name: &str| {
        let values = example.lines().filter_map(|line| line.trim().strip_prefix(name));
        let values = values.filter_map(|rest| rest.trim_start().strip_prefix('='));
        let mut values = values.map(|it| it.trim().trim_matches(['"', '\'']));
        values.find(|value| !value.is_empty())
    };
    let has_key = value(keys::SECRET_KEY.name).is_some();
    let is_kept =
        value(keys::MODE.name).is_some() || value(keys::API_BASE.name).is_some_and(is_loopback);
    let mut text = example.to_owned();
    if has_key && !is_kept {
        if !text.ends_with('\n') {
            text.push('\n');
        }
        text.extend([keys::MODE.name, "=sandbox\n"]);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_made_once_and_never_written_over() {
        let folder = tempfile::tempdir().unwrap();
        let env = folder.path().join(".env");
        assert_eq!(copy(folder.path()).unwrap(), None);
        assert!(!env.exists(), "nothing is made out of nothing");
        fs::write(folder.path().join(".env.example"), "PORT=4242\n").unwrap();
        assert_eq!(copy(folder.path()).unwrap(), Some(env.display().to_string()));
        assert_eq!(fs::read_to_string(&env).unwrap(), "PORT=4242\n");
        fs::write(&env, "PORT=1\n").unwrap();
        assert_eq!(copy(folder.path()).unwrap(), None);
        assert_eq!(fs::read_to_string(&env).unwrap(), "PORT=1\n");
    }

    #[test]
    fn a_made_up_key_does_not_lead_away_from_this_machine() {
        let kept = "STRIPE_SECRET_KEY=sk_test_replace_me\nSTRIPE_API_BASE=http://127.0.0.1:12111\n";
        for as_it_is in [kept, "PORT=4242\n", "STRIPE_SECRET_KEY=\n", "#STRIPE_SECRET_KEY=x\n"] {
            assert_eq!(at_home(as_it_is), as_it_is);
        }
        let key = "STRIPE_SECRET_KEY=sk_test_replace_me";
        assert_eq!(at_home(key), format!("{key}\nSTRIPEGYM_MODE=sandbox\n"));
        let outward = format!("{key}\nSTRIPE_API_BASE=https://api.stripe.com\n");
        assert!(at_home(&outward).ends_with("STRIPEGYM_MODE=sandbox\n"));
    }
}
