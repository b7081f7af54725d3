//! A step that is a broken program: it is graded at every save, and mended where nobody mends it.

use crate::app::course::talk::exercise::{self, Exercise};
use crate::cli::talk::{Talking, run};
use crate::domain::course::talk::{Gone, Step};
use crate::domain::fault::{Fault, FaultKind};
use crate::view::table::short;
use crate::view::talk as view;
use crate::view::words::Msg;

impl Talking<'_> {
    /// Writes the program, and grades it as it is.
    pub(super) async fn begin_exercise(&mut self, step: &Step) -> Result<(), Fault> {
        let Some(mend) = &step.mend else { return Ok(()) };
        let folder = std::path::Path::new(exercise::FOLDER).join(self.id());
        let Some(exercise) = exercise::begin(mend, &folder)? else {
            self.say(&Msg::TalkInstall);
            return self.note(step, Gone::Shown);
        };
        let path = exercise.path.display().to_string();
        let line = i64::try_from(exercise.line).unwrap_or_default();
        self.say(&Msg::TalkFile { path: &path, line });
        let room = usize::from(self.canvas().width).saturating_sub(4);
        let shown = |line: &str| format!("    {}", short(line.trim(), room));
        let wrong: Vec<String> = exercise.wrong.lines().take(4).map(shown).collect();
        self.screen.add(&wrong.join("\n"));
        self.now.exercise = Some(exercise.clone());
        // One that was mended in the learner's place is not done by looking at it again.
        let before = self.gone.get(&step.id).copied().unwrap_or(Gone::Done);
        let said = self.graded(step, &exercise, before).await?;
        self.screen.add(&said);
        Ok(())
    }

    /// Grades the program as it is now; what there is to say of it.
    pub(super) async fn graded(
        &mut self,
        step: &Step,
        exercise: &Exercise,
        as_: Gone,
    ) -> Result<String, Fault> {
        self.now.text = exercise.text();
        Ok(match exercise.grade(self.context).await {
            Ok(Some(check)) => {
                let well = check.state.is_well();
                let text = view::check(&check, &self.canvas());
                if well {
                    self.note(step, as_)?;
                    let canvas = self.canvas();
                    format!("{text}\n{}", canvas.say(&Msg::TalkMended))
                } else {
                    text
                }
            }
            Ok(None) => String::new(),
            Err(fault) if matches!(*fault.kind, FaultKind::Interrupted) => return Err(fault),
            Err(fault) => run::fault(&fault, &self.canvas()),
        })
    }
}
