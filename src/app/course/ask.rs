//! Asks a person, and only a person: who reads lines from somewhere answers, who does not is not asked.

use crate::app::context::Context;
use crate::domain::fault::{Fault, FaultKind};
use crate::domain::notice::Notice;
use std::fmt;
use std::io::BufRead;
use std::sync::{Arc, Mutex, PoisonError};

/// Where answers come from.
#[derive(Clone)]
pub struct Asker(Arc<Mutex<dyn BufRead + Send>>);

impl Asker {
    /// Answers are lines of `reader`.
    pub fn new(reader: impl BufRead + Send + 'static) -> Self {
        Self(Arc::new(Mutex::new(reader)))
    }

    /// Answers are typed.
    pub fn stdin() -> Self {
        Self::new(std::io::BufReader::new(std::io::stdin()))
    }

    /// Says the question and reads the answer, without what stands around it; `None` where there is none any more,
    /// or where nobody would see the question.
    pub async fn ask(&self, context: &Context, question: Notice) -> Result<Option<String>, Fault> {
        if !context.notices.reaches(question) {
            return Ok(None);
        }
        let reader = Arc::clone(&self.0);
        let reading = tokio::task::spawn_blocking(move || next(&reader));
        let mut stop = context.stop.clone();
        tokio::select! {
            read = reading => Ok(read.ok().flatten()),
            () = stop.wait() => Err(FaultKind::Interrupted.into()),
        }
    }
}

fn next(reader: &Mutex<dyn BufRead + Send>) -> Option<String> {
    let mut line = String::new();
    let read = reader.lock().unwrap_or_else(PoisonError::into_inner).read_line(&mut line);
    matches!(read, Ok(1..)).then(|| line.trim().to_owned())
}

impl fmt::Debug for Asker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Asker")
    }
}

impl PartialEq for Asker {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Asker {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_answers_until_there_are_none() {
        let asker = Asker::new(std::io::Cursor::new(b"  evt_1 \r\n\ny".to_vec()));
        let said: Vec<_> = (0..4).map(|_| next(&asker.0)).collect();
        let said: Vec<_> = said.iter().map(Option::as_deref).collect();
        assert_eq!(said, [Some("evt_1"), Some(""), Some("y"), None]);
    }
}
