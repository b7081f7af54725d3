//! The prompt: a line editor with history and completion in a thread of its own, so that what happens meanwhile can be
//! said above it.

use rustyline::completion::Completer;
use rustyline::error::ReadlineError;
use rustyline::highlight::Highlighter;
use rustyline::hint::Hinter;
use rustyline::history::MemHistory;
use rustyline::validate::Validator;
use rustyline::{CompletionType, Config, Context, Editor, ExternalPrinter as _, Helper};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// What was typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Typed {
    /// A line.
    Line(String),
    /// Ctrl-C: the line is given up.
    Dropped,
    /// Ctrl-D, or a terminal that is gone.
    End,
}

/// What can be completed, which changes as ids come to be.
pub(crate) type Words = Arc<Mutex<Vec<String>>>;

/// The editor's thread.
pub(crate) struct Prompt {
    ask: Sender<String>,
    typed: UnboundedReceiver<Typed>,
    above: Sender<String>,
    /// What Tab knows.
    pub(crate) words: Words,
    /// Given back at the end.
    _terminal: Silent,
}

impl Prompt {
    /// Starts it; `None` where the terminal cannot be edited on.
    pub(crate) fn start() -> Option<Self> {
        let words = Words::default();
        let config = Config::builder().completion_type(CompletionType::List).build();
        let mut editor =
            Editor::<Completing, MemHistory>::with_history(config, MemHistory::new()).ok()?;
        editor.set_helper(Some(Completing(Arc::clone(&words))));
        let (above, said) = channel::<String>();
        if let Ok(mut printer) = editor.create_external_printer() {
            std::thread::spawn(move || {
                while let Ok(text) = said.recv() {
                    if printer.print(text).is_err() {
                        break;
                    }
                }
            });
        }
        let (ask, asked) = channel();
        let (tell, typed) = unbounded_channel();
        std::thread::spawn(move || edit(editor, &asked, &tell));
        Some(Self { ask, typed, above, words, _terminal: Silent::begin() })
    }

    /// Shows the prompt.
    pub(crate) fn ask(&self, prompt: &str) {
        // An editor that is gone has told so.
        drop(self.ask.send(prompt.to_owned()));
    }

    /// What is typed next.
    pub(crate) async fn next(&mut self) -> Typed {
        self.typed.recv().await.unwrap_or(Typed::End)
    }

    /// Says something above the line that is being typed.
    pub(crate) fn say_above(&self, text: &str) {
        drop(self.above.send(text.to_owned()));
    }
}

fn edit(
    mut editor: Editor<Completing, MemHistory>,
    asked: &Receiver<String>,
    tell: &UnboundedSender<Typed>,
) {
    while let Ok(prompt) = asked.recv() {
        let typed = match editor.readline(&prompt) {
            Ok(line) => {
                // A line that history does not take is no loss.
                drop(editor.add_history_entry(line.as_str()));
                Typed::Line(line)
            }
            Err(ReadlineError::Interrupted) => Typed::Dropped,
            Err(_) => Typed::End,
        };
        let over = typed == Typed::End;
        if tell.send(typed).is_err() || over {
            return;
        }
    }
}

/// A terminal that does not show by itself what is typed: what is typed ahead, while something is worked on, stands in
/// the next prompt and not wherever the cursor is. At the end it is as it was, whatever the editor left behind.
#[cfg(unix)]
struct Silent(Option<rustix::termios::Termios>);

#[cfg(unix)]
impl Silent {
    fn begin() -> Self {
        let was = rustix::termios::tcgetattr(std::io::stdin()).ok();
        if let Some(mut silent) = was.clone() {
            silent.local_modes.remove(rustix::termios::LocalModes::ECHO);
            set(&silent);
        }
        Self(was)
    }
}

#[cfg(unix)]
impl Drop for Silent {
    fn drop(&mut self) {
        if let Some(was) = &self.0 {
            set(was);
        }
    }
}

/// Sets the terminal so; one that is gone needs it no more.
#[cfg(unix)]
fn set(terminal: &rustix::termios::Termios) {
    let now = rustix::termios::OptionalActions::Now;
    rustix::termios::tcsetattr(std::io::stdin(), now, terminal).unwrap_or_default();
}

#[cfg(not(unix))]
struct Silent;

#[cfg(not(unix))]
impl Silent {
    fn begin() -> Self {
        Self
    }
}

/// Completes words from a list.
struct Completing(Words);

impl Completer for Completing {
    type Candidate = String;

    fn complete(
        &self,
        line: &str,
        at: usize,
        _: &Context<'_>,
    ) -> rustyline::Result<(usize, Vec<String>)> {
        let before = line.get(..at).unwrap_or_default();
        let start = before.rfind(' ').map_or(0, |blank| blank + 1);
        let begun = before.get(start..).unwrap_or_default();
        let words = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let fits = words.iter().filter(|word| word.starts_with(begun) && !begun.is_empty());
        Ok((start, fits.cloned().collect()))
    }
}

impl Hinter for Completing {
    type Hint = String;
}
impl Highlighter for Completing {}
impl Validator for Completing {}
impl Helper for Completing {}
