//! The end of a day: its checks, and the screen that says what was shown, done and proved, and where to go on.

use crate::app::course::talk::own_shop;
use crate::app::course::{choose, next};
use crate::cli::talk::Talking;
use crate::domain::course::Level;
use crate::domain::course::talk::Gone;
use crate::domain::fault::Fault;
use crate::view::talk as view;
use crate::view::words::Msg;

impl Talking<'_> {
    /// The last screen.
    pub(super) fn end(&mut self) -> Result<(), Fault> {
        let day = &self.script.lesson.day;
        let progress = choose::progress(self.context)?;
        let required = day.checks.iter().filter(|it| it.level == Level::Required);
        let own = required.clone().filter(|it| progress.is_proved(&it.id, day.lesson.version));
        let of = |wanted: Gone| self.gone.values().filter(|gone| **gone == wanted).count();
        let next = next(&day.lesson.id);
        let end = view::End {
            title: &self.script.lesson.texts.title,
            gone: (of(Gone::Shown), of(Gone::Done)),
            proved: (own.count(), required.count()),
            learnt: &self.script.texts.learnt,
            id: &day.lesson.id,
            own: &own_shop(),
            next: next.as_deref(),
        };
        let text = view::end(&end, &self.canvas());
        self.screen.begin(&[], &text);
        Ok(())
    }

    /// Puts the day's checks before the built-in shop.
    pub(super) async fn prove(&mut self) -> Result<(), Fault> {
        self.say(&Msg::TalkGrading);
        let lesson = self.script.lesson.clone();
        let result = self.room.prove(&lesson).await?;
        let gates =
            lesson.day.gates.iter().filter(|it| !it.needs.iter().any(|id| id == "required"));
        let title = |id: &String| lesson.texts.gates.get(id).cloned().unwrap_or_default();
        let meant: Vec<_> = gates.map(|it| (title(&it.id), it.needs.clone())).collect();
        let text = view::proved(&result, &meant, &self.canvas());
        self.screen.add(&text);
        Ok(())
    }
}
