//! Shows notices as they come: lines on stdout or stderr, a spinner on a terminal.

use crate::app::context::{NoticeSink, Notices};
use crate::cli::{out, pager};
use crate::domain::notice::Notice;
use crate::view::canvas::Canvas;
use crate::view::notice::{Line, render};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::thread::JoinHandle;
use std::time::Duration;

/// A thread that shows what it hears until every notices is gone.
pub(crate) struct Reporter {
    thread: JoinHandle<()>,
}

impl Reporter {
    /// Starts it, with the notices that it hears. A whole lesson goes through the pager, where there is one.
    pub(crate) fn start(canvas: Canvas, pager: Option<String>) -> (Self, NoticeSink) {
        let (notices, heard) = NoticeSink::pair();
        let thread = std::thread::spawn(move || listen(&heard, &canvas, pager.as_deref()));
        (Self { thread }, notices)
    }

    /// Waits until everything said has been shown.
    pub(crate) fn finish(self) {
        // A panic in it was reported by the panic hook already.
        drop(self.thread.join());
    }
}

fn listen(heard: &Notices, canvas: &Canvas, pager: Option<&str>) {
    let mut spinner: Option<ProgressBar> = None;
    while let Some(notice) = heard.next() {
        let line = render(&notice, canvas);
        if let (Notice::Lesson(it), Line::Data(text), Some(pager)) = (&notice, &line, pager)
            && it.full
            && pager::show(pager, text)
        {
            continue;
        }
        let show = || match &line {
            Line::Data(text) => out::data(text),
            Line::Aside(text) => out::aside(text),
            Line::Progress(_) | Line::Nothing => {}
        };
        match (&spinner, &line) {
            (_, Line::Progress(text)) if out::is_error_terminal() => {
                let bar = spinner.get_or_insert_with(new_spinner);
                bar.set_message(text.clone());
            }
            (Some(bar), _) => bar.suspend(show),
            (None, _) => show(),
        }
    }
    if let Some(bar) = spinner {
        bar.finish_and_clear();
    }
}

fn new_spinner() -> ProgressBar {
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
    if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} {elapsed}") {
        bar.set_style(style);
    }
    bar.enable_steady_tick(Duration::from_millis(120));
    bar
}
