//! A day as a conversation at a terminal: one step a screen. What is typed is run here, against the sandbox and the
//! listener that the day hosts; what happens elsewhere is seen.

mod editor;
mod end;
pub(crate) mod line;
mod mend;
mod run;
mod screen;

use crate::app::context::Context;
use crate::app::course::record;
use crate::app::course::talk::exercise::Exercise;
use crate::app::course::talk::turn::Turn;
use crate::app::course::talk::{self, Room, Script, StepText};
use crate::cli::out;
use crate::cli::talk::editor::{Prompt, Typed};
use crate::cli::talk::line::{Asked, asked};
use crate::cli::talk::screen::Screen;
use crate::domain::course::talk::{Beat, Effect, Gone, Seen, Show, Step, is_right};
use crate::domain::fault::{Fault, FaultKind};
use crate::domain::mode::Mode;
use crate::domain::report::Report;
use crate::view::canvas::{Canvas, Tone};
use crate::view::talk as view;
use crate::view::words::Msg;
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

/// How often it is looked whether something happened elsewhere.
const WATCH: Duration = Duration::from_millis(400);
/// How long what was just done may take to show.
const PATIENCE: Duration = Duration::from_secs(8);
const PAUSE: Duration = Duration::from_millis(60);
/// The type of event that a day is about, where several came.
const WANTED: &str = "checkout.session.completed";

/// Holds the conversation of a lesson; `None` for one that has none.
pub(crate) async fn hold(
    context: &Context,
    canvas: &Canvas,
    id: &str,
) -> Result<Option<Report>, Fault> {
    let quiet = context.quietly();
    if context.config.mode == Mode::Stripe {
        return Ok(None);
    }
    let Some(script) = talk::script(&quiet, id)? else { return Ok(None) };
    let waiting = || {
        let home = context.config.home.display().to_string();
        let said = canvas.say(&Msg::TalkTaken { home: &home });
        out::aside(&view::text(&said, canvas));
    };
    let _turn = Turn::take(&quiet, waiting).await?;
    let Some(prompt) = Prompt::start() else { return Ok(None) };
    let room = Room::open(&quiet).await?;
    let mut talking = Talking::new(&quiet, canvas, script, (room, prompt))?;
    let held = talking.hold().await;
    talking.room.close().await;
    held.map(|()| Some(Report::Silent))
}

/// Where to go from a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Go {
    Next,
    Back,
    Away,
}

/// The conversation.
struct Talking<'c> {
    context: &'c Context,
    canvas: Canvas,
    script: Script,
    room: Room<'c>,
    prompt: Prompt,
    screen: Screen,
    gone: BTreeMap<String, Gone>,
    at: usize,
    now: Now,
}

/// How the present step stands.
#[derive(Default)]
struct Now {
    before: Seen,
    gone: Option<Gone>,
    slips: BTreeSet<String>,
    exercise: Option<Exercise>,
    text: String,
}

impl<'c> Talking<'c> {
    fn new(
        context: &'c Context,
        canvas: &Canvas,
        script: Script,
        (room, prompt): (Room<'c>, Prompt),
    ) -> Result<Self, Fault> {
        let id = &script.lesson.day.lesson.id;
        let file = record::open(context)?;
        let fault = |error| record::fault(context, &error);
        let steps = file.snapshot().map_err(fault)?.steps.into_iter();
        let gone = steps.filter(|it| it.day == *id).map(|it| (it.step, it.gone)).collect();
        let place = file.place(id).map_err(fault)?;
        let at = script.talk.steps.iter().position(|it| Some(&it.id) == place.as_ref());
        Ok(Self {
            context,
            canvas: canvas.clone(),
            room,
            prompt,
            screen: Screen::on(canvas.clone()),
            gone,
            at: at.unwrap_or_default(),
            now: Now::default(),
            script,
        })
    }

    fn id(&self) -> &str {
        &self.script.lesson.day.lesson.id
    }

    fn canvas(&self) -> Canvas {
        Canvas { width: screen::size().1, ..self.canvas.clone() }
    }

    fn say(&mut self, msg: &Msg<'_>) {
        let canvas = self.canvas();
        let text = view::text(&canvas.say(msg), &canvas);
        self.screen.add(&text);
    }

    fn say_text(&mut self, text: &str) {
        let text = view::text(text, &self.canvas());
        self.screen.add(&text);
    }

    async fn hold(&mut self) -> Result<(), Fault> {
        while let Some(step) = self.script.talk.steps.get(self.at).cloned() {
            self.note_place(Some(&step.id))?;
            match self.step(&step).await? {
                Go::Next => self.at += 1,
                Go::Back => self.at = self.at.saturating_sub(1),
                Go::Away => {
                    let command = format!("stripegym {}", self.id());
                    self.say(&Msg::TalkPlace { command: &command });
                    return Ok(());
                }
            }
        }
        self.note_place(None)?;
        self.end()
    }

    fn note_place(&self, step: Option<&str>) -> Result<(), Fault> {
        let noted = record::open(self.context)?.note_place(self.id(), step);
        noted.map_err(|error| record::fault(self.context, &error))
    }

    /// Begins a step, and goes through what is typed until it is left.
    async fn step(&mut self, step: &Step) -> Result<Go, Fault> {
        let said = self.script.texts.step.get(&step.id).cloned().unwrap_or_default();
        self.begin(step, &said).await?;
        loop {
            let open = self.now.gone.is_none() && is_to_do(step);
            if self.screen.has_rest() {
                self.foot_line(&Msg::TalkMore);
            } else {
                let foot = view::foot(open, &self.canvas());
                self.screen.foot(&foot);
            }
            let prompt = format!("{}> ", self.id());
            self.complete();
            self.prompt.ask(&prompt);
            let typed = loop {
                let mut stop = self.context.stop.clone();
                tokio::select! {
                    typed = self.prompt.next() => break typed,
                    () = tokio::time::sleep(WATCH) => self.watch(step, &said).await?,
                    () = stop.wait() => return Err(FaultKind::Interrupted.into()),
                }
            };
            let go = match typed {
                Typed::End => Some(Go::Away),
                Typed::Dropped => {
                    self.screen.typed(&prompt);
                    self.say(&Msg::TalkLeave);
                    None
                }
                Typed::Line(line) => {
                    self.screen.typed(&format!("{prompt}{line}"));
                    self.heard(step, &said, &line).await?
                }
            };
            if let Some(go) = go {
                return Ok(go);
            }
        }
    }

    fn foot_line(&mut self, msg: &Msg<'_>) {
        let canvas = self.canvas();
        let line = canvas.tone(Tone::Quiet, &canvas.say(msg));
        self.screen.foot(&line);
    }

    fn head(&self) -> Vec<String> {
        let gone = self.script.talk.steps.iter().map(|it| self.gone.get(&it.id).copied());
        let gone: Vec<_> = gone.collect();
        view::head(&self.script.lesson.texts.title, self.at, &gone, &self.canvas())
    }

    async fn begin(&mut self, step: &Step, said: &StepText) -> Result<(), Fault> {
        self.room.note_answered(false);
        let before = self.room.look(compares(step)).await?;
        self.now = Now { before, ..Now::default() };
        let shown = step.typed.iter().filter(|_| !step.covered);
        let commands: Vec<String> = shown.map(|it| self.filled(it)).collect();
        let canvas = self.canvas();
        let body = view::step(&self.placed(&said.text), &said.ask, &commands, &canvas);
        let head = self.head();
        self.screen.begin(&head, &body);
        if step.typed.is_empty() {
            self.show(step, said).await?;
        }
        match step.beat {
            Beat::Prove => self.prove().await?,
            Beat::Mend => self.begin_exercise(step).await?,
            _ => {}
        }
        Ok(())
    }

    /// What stands in a text for where the day plays.
    fn placed(&self, text: &str) -> String {
        text.replace("{listener}", &self.room.listener_url())
    }

    /// A command with the newest ids of the day in it.
    fn filled(&self, command: &str) -> String {
        let seen = self.room.seen();
        let event = self.room.newest_event(Some(WANTED)).or_else(|| self.room.newest_event(None));
        let open = seen.sessions.iter().find(|it| it.status == "open");
        let paid = seen.sessions.iter().find(|it| it.payment_status == "paid");
        let newest = seen.sessions.first();
        let or = |found: Option<String>, else_: &str| found.unwrap_or_else(|| else_.to_owned());
        command
            .replace("{event}", &or(event.map(|(id, _)| id), "evt_…"))
            .replace("{open}", &or(open.map(|it| line::begun(&it.id)), "cs_…"))
            .replace("{paid}", &or(paid.map(|it| line::begun(&it.id)), "cs_…"))
            .replace("{session}", &or(newest.map(|it| line::begun(&it.id)), "cs_…"))
    }

    /// What Tab knows now.
    fn complete(&self) {
        let words = line::words(self.room.seen());
        let mut known = self.prompt.words.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        *known = words;
    }

    /// What was typed, done.
    async fn heard(
        &mut self,
        step: &Step,
        said: &StepText,
        typed: &str,
    ) -> Result<Option<Go>, Fault> {
        let question = !step.answers.is_empty() && self.now.gone.is_none();
        match asked(typed, question) {
            Asked::Nothing | Asked::More if self.screen.has_rest() => self.screen.more(),
            Asked::Nothing if self.now.gone.is_none() && is_to_do(step) => {
                self.do_it(step, said).await?;
            }
            Asked::Nothing | Asked::Skip => return Ok(Some(Go::Next)),
            Asked::Back => return Ok(Some(Go::Back)),
            Asked::Quit => return Ok(Some(Go::Away)),
            Asked::Hint => self.say_text(&said.hint),
            Asked::Why => self.say_text(&said.why),
            Asked::More if !said.more.is_empty() => self.say_text(&said.more),
            Asked::More => self.say(&Msg::TalkLess),
            Asked::Raw => match &step.raw {
                Some(command) => {
                    let command = self.filled(command);
                    self.run_line(&command).await;
                }
                None => self.say(&Msg::TalkNoRaw),
            },
            Asked::Stop => {
                self.room.stop().await;
                self.say(&Msg::TalkDown);
                self.look(step, said, Gone::Done).await?;
            }
            Asked::Start => {
                self.room.start().await?;
                let url = self.room.listener_url();
                self.say(&Msg::TalkUp { url: &url });
                self.look(step, said, Gone::Done).await?;
            }
            Asked::Command(line) => {
                self.run_line(&line).await;
                self.look(step, said, Gone::Done).await?;
            }
            Asked::Elsewhere(command) => self.say(&Msg::TalkElsewhere { command: &command }),
            Asked::Answer(answer) if question => self.answered(step, said, &answer)?,
            Asked::Answer(word) => self.say(&Msg::TalkUnknown { word: &word }),
        }
        Ok(None)
    }

    fn answered(&mut self, step: &Step, said: &StepText, answer: &str) -> Result<(), Fault> {
        if !is_right(answer, &step.answers) {
            self.say_text(&said.wrong);
            return Ok(());
        }
        self.room.note_answered(true);
        self.say(&Msg::TalkRight);
        if !said.done.is_empty() {
            self.say_text(&said.done);
        }
        self.note(step, Gone::Done)
    }

    /// Does the step in the learner's place, before their eyes.
    async fn do_it(&mut self, step: &Step, said: &StepText) -> Result<(), Fault> {
        if let Some(exercise) = self.now.exercise.clone() {
            exercise.solve()?;
            let said = self.graded(step, &exercise, Gone::Shown).await?;
            self.screen.add(&said);
            return Ok(());
        }
        if let Some(answer) = step.answers.first() {
            self.say(&Msg::TalkAnswer { answer });
            if !said.done.is_empty() {
                self.say_text(&said.done);
            }
            return self.note(step, Gone::Shown);
        }
        for command in &step.typed {
            let command = self.filled(command);
            let canvas = self.canvas();
            let echo = canvas.tone(Tone::Strong, &format!("{}> {command}", self.id()));
            self.screen.add(&echo);
            match asked(&command, false) {
                Asked::Stop => {
                    self.room.stop().await;
                    self.say(&Msg::TalkDown);
                }
                Asked::Start => {
                    self.room.start().await?;
                    let url = self.room.listener_url();
                    self.say(&Msg::TalkUp { url: &url });
                }
                _ => self.run_line(&command).await,
            }
            // The next command may name what came of this one.
            self.room.look(false).await?;
        }
        self.look(step, said, Gone::Shown).await
    }

    /// Looks until the step's effect has come, or no longer: deliveries are on their way for a moment.
    async fn look(&mut self, step: &Step, said: &StepText, as_: Gone) -> Result<(), Fault> {
        let Some(effect) = step.done.as_ref().filter(|_| self.now.gone.is_none()) else {
            return Ok(());
        };
        let until = Instant::now() + PATIENCE;
        loop {
            let now = self.room.look(compares(step)).await?;
            if effect.came(&self.now.before, &now) {
                return self.came(step, said, as_).await;
            }
            if let Some(text) = self.slip(step, said, &now) {
                self.say_text(&text);
                return Ok(());
            }
            // Who typed something else is not kept waiting.
            let patient = as_ == Gone::Shown || is_on_its_way(effect, step, &now);
            if !patient || Instant::now() > until {
                return Ok(());
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// What is said of a mistake that shows, once.
    fn slip(&mut self, step: &Step, said: &StepText, now: &Seen) -> Option<String> {
        let slips = step.slips.iter().filter(|it| it.when.came(&self.now.before, now));
        let slip = slips.into_iter().find(|it| !self.now.slips.contains(&it.id))?;
        self.now.slips.insert(slip.id.clone());
        said.slip.get(&slip.id).cloned()
    }

    /// Says that the effect came, and shows the thing itself.
    async fn came(&mut self, step: &Step, said: &StepText, as_: Gone) -> Result<(), Fault> {
        self.note(step, as_)?;
        let canvas = self.canvas();
        let done = format!("✓ {}", said.done.trim_end());
        let done = canvas.tone(Tone::Good, &view::text(&done, &canvas));
        // Together, so that a new screen has both.
        let thing = self.thing(step, said).await?;
        self.screen.add(&format!("{done}\n{thing}"));
        Ok(())
    }

    async fn show(&mut self, step: &Step, said: &StepText) -> Result<(), Fault> {
        let thing = self.thing(step, said).await?;
        self.screen.add(&thing);
        Ok(())
    }

    /// The thing itself, where a step shows one.
    async fn thing(&self, step: &Step, said: &StepText) -> Result<String, Fault> {
        let canvas = self.canvas();
        let event = self.room.newest_event(Some(WANTED)).or_else(|| self.room.newest_event(None));
        Ok(match (step.show, event) {
            (Some(Show::Event), Some((id, _))) => {
                let event = self.room.event(&id).await?;
                view::event(&event, &step.members, &said.mark, &canvas)
            }
            (Some(Show::Session), _) => {
                let id = self.room.seen().sessions.first().map(|it| it.id.clone());
                let session = self.room.session(&id.unwrap_or_default()).await?;
                view::event(&session, &step.members, &said.mark, &canvas)
            }
            (Some(Show::Attempts), Some((id, _))) => {
                let seen = self.room.seen();
                let of = seen.attempts.iter().filter(|it| it.event == id).cloned();
                view::attempts(&of.collect::<Vec<_>>(), seen.now, &canvas)
            }
            _ => String::new(),
        })
    }

    /// Notes how far a step was gone.
    fn note(&mut self, step: &Step, gone: Gone) -> Result<(), Fault> {
        self.now.gone = Some(gone);
        let best = self.gone.get(&step.id).copied().unwrap_or(gone).max(gone);
        self.gone.insert(step.id.clone(), best);
        let file = record::open(self.context)?;
        let at = self.context.clock.unmoved();
        file.note_step(self.id(), &step.id, gone, at)
            .map_err(|error| record::fault(self.context, &error))
    }

    /// Looks while nothing is typed: what happens in a browser or another terminal counts like what is typed here.
    async fn watch(&mut self, step: &Step, said: &StepText) -> Result<(), Fault> {
        if self.now.gone.is_some() {
            return Ok(());
        }
        if let Some(exercise) = self.now.exercise.clone() {
            if exercise.text() != self.now.text {
                let said = self.graded(step, &exercise, Gone::Done).await?;
                self.say_above(&said);
            }
            return Ok(());
        }
        let Some(effect) = &step.done else { return Ok(()) };
        let now = self.room.look(compares(step)).await?;
        let text = if effect.came(&self.now.before, &now) {
            self.note(step, Gone::Done)?;
            format!("✓ {}", said.done.trim_end())
        } else {
            match self.slip(step, said, &now) {
                Some(text) => text,
                None => return Ok(()),
            }
        };
        let text = view::text(&text, &self.canvas());
        self.say_above(&text);
        Ok(())
    }

    /// Says something that came while the prompt stands, with what can be typed now.
    fn say_above(&mut self, text: &str) {
        let foot = view::foot(self.now.gone.is_none(), &self.canvas());
        self.screen.above(&self.prompt, &format!("{text}\n{foot}"));
    }
}

/// Whether there is something to do in a step.
fn is_to_do(step: &Step) -> bool {
    step.done.is_some() || !step.answers.is_empty() || step.mend.is_some()
}

/// Whether a step is about what ledger and provider say to one another.
fn compares(step: &Step) -> bool {
    matches!(step.done, Some(Effect::Agrees(_)))
}

/// Whether an effect may still come of what was typed: what the listener does follows a moment later.
const fn is_on_its_way(effect: &Effect, _: &Step, now: &Seen) -> bool {
    match effect {
        Effect::Taken { .. } | Effect::Row(_) => now.listening,
        Effect::Unheard => !now.listening,
        _ => false,
    }
}
