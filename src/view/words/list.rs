//! The list of messages with their arguments. The key of `FaultPortTaken` is `fault-port-taken`.

use crate::view::foreign::plain;
use fluent_bundle::{FluentArgs, FluentValue};

/// An argument as it stands in a sentence: a number, or a text that others may have written.
trait Arg<'a> {
    fn value(self) -> FluentValue<'a>;
}

impl<'a> Arg<'a> for &'a str {
    fn value(self) -> FluentValue<'a> {
        FluentValue::String(plain(self))
    }
}

impl Arg<'static> for i64 {
    fn value(self) -> FluentValue<'static> {
        FluentValue::from(self)
    }
}

fn shown<'a>(arg: impl Arg<'a>) -> FluentValue<'a> {
    arg.value()
}

macro_rules! messages {
    ($( $name:ident $( { $($arg:ident : $kind:ty),+ } )? ,)+) => {
        /// A sentence with what it needs to be said.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Msg<'a> {
            $(
                #[doc = concat!("The sentence `", stringify!($name), "` of the Fluent files.")]
                $name $( { $(
                    #[doc = concat!("The sentence's `$", stringify!($arg), "`.")]
                    $arg: $kind
                ),+ } )?,
            )+
        }

        impl Msg<'_> {
            const fn name(&self) -> &'static str {
                match self {
                    $( Self::$name { .. } => stringify!($name), )+
                }
            }

            /// What the sentence is given.
            pub fn args(&self) -> FluentArgs<'_> {
                match self {
                    $( Self::$name $( { $($arg),+ } )? => gather([
                        $( $( (stringify!($arg), shown(*$arg)) ),+ )?
                    ]), )+
                }
            }

            #[cfg(test)]
            pub(super) fn samples() -> Vec<Msg<'static>> {
                vec![ $( Msg::$name $( { $($arg: Sample::sample(stringify!($arg))),+ } )? ),+ ]
            }
        }
    };
}

fn gather<'a, const N: usize>(pairs: [(&'static str, FluentValue<'a>); N]) -> FluentArgs<'a> {
    pairs.into_iter().collect()
}

impl Msg<'_> {
    /// The name of the sentence in the Fluent files.
    pub fn key(&self) -> String {
        let mut key = String::new();
        for letter in self.name().chars() {
            if letter.is_ascii_uppercase() && !key.is_empty() {
                key.push('-');
            }
            key.push(letter.to_ascii_lowercase());
        }
        key
    }

    #[cfg(test)]
    pub(super) fn sample_texts(&self) -> Vec<&'static str> {
        let args = self.args();
        let texts = args.iter().filter(|(_, value)| matches!(value, FluentValue::String(_)));
        let names: Vec<String> = texts.map(|(name, _)| name.to_owned()).collect();
        names.iter().map(|name| <&str as Sample>::sample(name)).collect()
    }
}

#[cfg(test)]
trait Sample {
    fn sample(name: &str) -> Self;
}

#[cfg(test)]
impl Sample for &'static str {
    fn sample(name: &str) -> Self {
        Box::leak(format!("<{name}>").into_boxed_str())
    }
}

#[cfg(test)]
impl Sample for i64 {
    fn sample(_: &str) -> Self {
        2
    }
}

messages! {
    // Help
    HeadingUsage, HeadingCommands, HeadingOptions, HeadingArguments, HeadingGlobal, HeadingJson,
    HelpOneOf { values: &'a str },
    HelpDefault { value: &'a str },
    // Failures
    FaultLabel, FaultWhere, FaultCause, FaultNext,
    FaultUnknownFlag { flag: &'a str },
    FaultNegative { value: &'a str },
    FaultUnknownCommand { command: &'a str },
    FaultMeant { meant: &'a str },
    FaultBadValue { flag: &'a str, value: &'a str },
    FaultExpected { expected: &'a str },
    FaultMissing { what: &'a str },
    FaultConflict { flag: &'a str, other: &'a str },
    FaultUsageOther { message: &'a str },
    FaultSetting { name: &'a str },
    FaultLiveKey { name: &'a str },
    FaultKeyPublishable { name: &'a str },
    FaultKeySecret { name: &'a str },
    FaultKeyMissing,
    FaultSandboxOnly { command: &'a str },
    FaultPortTaken { address: &'a str },
    FaultProviderDown { base: &'a str },
    FaultProviderRefused { status: i64, message: &'a str },
    FaultProviderOdd { what: &'a str },
    FaultPage { what: &'a str },
    DataLedger, DataShop, DataSandbox, DataProgress, NextShopDatabase, FaultLedgerServers, FaultFile,
    DataBroken { what: &'a str },
    DataBusy { what: &'a str },
    DataFull { what: &'a str },
    DataNewer { what: &'a str },
    DataReadOnly { what: &'a str },
    DataUnusable { what: &'a str },
    DataAway { what: &'a str },
    NextReadOnly { path: &'a str },
    FaultNoScenario { kind: &'a str },
    FaultNotFound { what: &'a str },
    FaultLesson { what: &'a str },
    FaultNoSuchCode { code: &'a str },
    FaultSandboxNotRunning { home: &'a str },
    FaultSandboxInUse { base: &'a str },
    FaultLedgerInUse, NextNewer, NextDiskFull,
    DoctorStore { path: &'a str },
    DoctorStoreBusy { path: &'a str },
    DoctorStoreBroken { path: &'a str, cause: &'a str },
    DoctorProgressFix, DoctorSandboxFix,
    FaultCourseInUse { home: &'a str },
    FaultAppDown { url: &'a str },
    FaultNoPages { day: &'a str, url: &'a str },
    FaultProgramNotFound { command: &'a str },
    FaultProgramExited { command: &'a str, how: &'a str },
    FaultProgramSilent { command: &'a str, address: &'a str },
    FaultProgramTaken { address: &'a str },
    FaultProgramNotHere,
    FaultTimedOut { what: &'a str, seconds: i64 },
    FaultInterrupted, FaultGone,
    FaultNotOffered { method: &'a str },
    FaultBug { what: &'a str },
    // What to do next
    NextHelp { command: &'a str },
    NextSetting, NextLiveKey, NextKeySlot, NextKeyUnknown, NextListen,
    NextAnswersAt { address: &'a str },
    NextKeyMissing, NextSandboxMode,
    NextOtherPort { command: &'a str },
    NextDoctor,
    NextProgramAlone { command: &'a str },
    NextProgramAt { address: &'a str },
    NextProgramPort,
    NextPrintEnv { url: &'a str },
    NextAppExec, NextNoPages, NextSandbox,
    NextLogs { request: &'a str },
    NextLedgerServer { url: &'a str },
    NextLedgerServers { command: &'a str },
    NextLedgerImport { file: &'a str, url: &'a str },
    NextShopThere { url: &'a str },
    NextDataBusy, NextHome, NextFile, NextScenarios, NextAgain, NextBug, NextEventsList,
    NextDevCheck, NextExplain, NextStopSandbox, NextOtherCourse,
    // Where things are
    PlaceSandbox, PlaceStripe, HeaderHome, HeaderCheckout, HeaderLedger, HeaderReconcile,
    HeaderShop, HeaderDoctor, HeaderCards,
    // stripegym
    HomeFolder { path: &'a str },
    HomeKey { key: &'a str, origin: &'a str },
    HomeNoKey,
    HomeRunning { base: &'a str },
    HomeIdle,
    HomeRows { rows: i64 },
    HomeNoLedger, HomeNext, HomeNextFirst, HomeNextListen, HomeNextCheckout, HomeNextLedger,
    HomeNextReconcile,
    // Columns
    ColTime, ColSession, ColAmount, ColStatus, ColVerdict, ColLedger, ColProvider, ColCurrency,
    ColRows, ColPaid, ColRefunded, ColNet, ColNumber, ColBrand, ColEmail, ColMethod, ColWhat,
    ColEvent, ColFee, ColKind, ColObject, ColDifference, ColAccount, ColPostings, ColReason, ColProblem,
    ColSaid, ColTable, ColRow, ColDeviation,
    // Ledger and reconciliation
    LedgerEmpty, LedgerHint,
    LedgerCount { shown: i64, all: i64 },
    LedgerNothing,
    ShopMoved { tables: i64, rows: i64 },
    LedgerVerified { lines: i64, writers: i64, checkpoints: i64, findings: i64 },
    ReconcileEmpty,
    ReconcileClean { rows: i64 },
    ReconcileDiffers { rows: i64, differing: i64 },
    ReconcileFixHint,
    ReconcileMore { count: i64 },
    ReconcileFixed { session: &'a str, before: &'a str },
    ReconcileNotFixed { session: &'a str, before: &'a str },
    ReconcilePlanned { session: &'a str, before: &'a str },
    ReconcileAsk { count: i64 },
    ReconcileYes,
    ReconcileWhy { verdict: &'a str },
    ReconcileRule { key: &'a str, verdict: &'a str },
    ReconcileCut { count: i64 },
    CaughtUp { from: &'a str, events: i64, objects: i64, fresh: i64 },
    NoticeCatchingUp { until: &'a str, read: i64, fresh: i64 },
    LedgerImported { read: i64, fresh: i64 },
    Compacted { lines: i64, before: &'a str, after: &'a str, part: i64 },
    CompactedNone,
    NoticeCompacting { done: i64, all: i64 },
    NoticeComparing { rows: i64, rate: i64, left: i64 },
    NoticeMerging { rows: i64, left: i64 },
    NoticeEncoding { path: &'a str, encoding: &'a str },
    // Checkout
    CheckoutPaid, CheckoutProcessing, CheckoutDeclined, CheckoutCanceled, CheckoutExpired,
    CheckoutCreated,
    CheckoutSaid { message: &'a str },
    CheckoutNoPage,
    NoticeOpen { total: &'a str, url: &'a str },
    NoticeNoBrowser { cause: &'a str },
    NoticeWaiting,
    // Notices
    NoticeOtherPort { wished: i64, used: &'a str },
    NoticeLeftOut { count: i64 },
    NoticeExposed { address: &'a str },
    NoticeHosting { base: &'a str },
    NoticeListening { url: &'a str },
    NoticeRegistered { endpoint: &'a str },
    NoticePolling { base: &'a str },
    NoticePollFailed { cause: &'a str },
    NoticeLedgerBusy { path: &'a str },
    NoticeLedgerFull { path: &'a str },
    NoticeLedgerRemoved { path: &'a str },
    NoticeLedgerRebuilt { path: &'a str },
    NoticeLedgerReplaced { path: &'a str },
    NoticeLedgerAdopted { path: &'a str },
    NoticeLedgerFailed { path: &'a str },
    NoticeLedgerAway { path: &'a str },
    NoticeLedgerBack { path: &'a str },
    NoticeForwardsDropped { count: i64 },
    NoticeSurroundings,
    NoticeWebhookOnly { url: &'a str },
    NoticeStarted { command: &'a str, url: &'a str, output: &'a str },
    DeliveryRecorded, DeliveryStored,
    DeliveryNotBooked { problem: &'a str },
    DeliveryUntrusted, DeliveryDuplicate,
    DeliveryRejected { status: i64, reason: &'a str },
    DeliveryForwarded { status: i64 },
    DeliveryNotForwarded { cause: &'a str },
    ListenSummary { deliveries: i64, recorded: i64, duplicates: i64, rejected: i64 },
    // Day 0
    Day0SandboxUp { base: &'a str },
    Day0ListenerUp { url: &'a str },
    Day0Created { total: &'a str, session: &'a str },
    Day0Paid { last4: &'a str },
    Day0Heard { kind: &'a str, took: i64 },
    Day0Booked { total: &'a str, status: &'a str },
    Day0Reconciled { matching: i64, differing: i64 },
    Day0ByHand, Day0PayByHand,
    Day0Done { seconds: &'a str },
    Day0Next,
    // The course
    LessonMinutes { minutes: i64 },
    LessonBeats,
    LessonFull { command: &'a str },
    LookTitle,
    LookFaults { count: i64 },
    ColScenario, ColAnswers, ColAttempts, ColLocal,
    AskWord { id: &'a str, title: &'a str },
    ColPending, CourseChecked, CourseExpected, CourseGot, CourseWhy, CourseNext, CourseNote,
    CourseEnvMade { path: &'a str },
    CourseProposed { folder: &'a str, names: &'a str },
    CourseWillRun { folder: &'a str },
    CourseSkipped { id: &'a str, need: &'a str },
    CourseAttest { id: &'a str, command: &'a str },
    CourseType { command: &'a str },
    DayFailed { failing: i64 },
    DayPassed { title: &'a str, seconds: &'a str },
    CheckSummary { passed: i64, failed: i64, warned: i64, open: i64, skipped: i64, seconds: &'a str },
    CheckWaiting { root: &'a str, all: i64, ids: &'a str },
    ContractRoutes, ContractWebhook, ContractEnvironment, ContractLedger, ContractRows,
    ContractRequired, ContractOptional,
    CourseWaits { root: &'a str },
    CourseRequest, CourseAnswer, CourseLog,
    SeverityRisky, SeverityHabit, StateWarn,
    SaidVersion, SaidParsed, SaidNoHeader, SaidNoSecret, SaidTolerance, SaidNoMatch, SaidCrashed,
    WatchEvents { folder: &'a str },
    WatchPolling { folder: &'a str },
    WatchWhyPolling { why: &'a str },
    WatchBegan, WatchBack, WatchFailed,
    WatchFiles { first: &'a str, more: i64 },
    WatchRound { number: i64, cause: &'a str },
    StatusDone,
    // Reports, solutions, progress
    FaultNotOurs { expected: &'a str },
    FaultPlanFile,
    FaultIncomparable { what: &'a str },
    NextIncomparable,
    FaultInTheWay { path: &'a str },
    NextNotOurs, NextInTheWay, StatePass, StateFail, StatePartial, StateAttest, StateSkip,
    StateBlocked, StateNotRun,
    StatusHints { hints: i64 },
    Written { path: &'a str, seal: &'a str },
    Imported { checks: i64, attempts: i64 },
    ImportedBackup { backup: &'a str },
    SolutionOf { day: &'a str, path: &'a str },
    SolutionHeld { name: &'a str },
    SolutionGiveUp { command: &'a str },
    StarterWritten { folder: &'a str, files: i64 },
    StarterReadme, ReportTitle,
    ReportLead { passed: i64, required: i64 },
    ReportMade { program: &'a str, api: &'a str },
    ReportColDay, ReportColPassed, ReportColAttempts, ReportColHints, ReportColGone,
    ReportColSolution,
    ReportColCheck, ReportColTitle, ReportColFirst, ReportColEvidence, ReportColSeal,
    ReportAttested { at: &'a str },
    ReportGaveUp, ReportShown, ReportChart, ReportChartGood, ReportChartBad, ReportProof,
    ReportSeal { seal: &'a str },
    ReportLimit, ReportData, ShareWhat, ShareOpen, ShareTry,
    ShareSeal { seal: &'a str },
    DemoTitle, DemoType, DemoSay, DemoSandbox, DemoListen, DemoCheckout, DemoLedger, DemoEvents,
    DemoResend, DemoReconcile, DemoSeen, DemoSeenCheckout, DemoSeenWebhook, DemoSeenLedger,
    DemoSign, DemoAfter,
    VerifyHolds { rows: i64 },
    VerifyBroken { flaws: i64 },
    VerifyAgainst { path: &'a str },
    VerifyAlone,
    VerifyOther { program: &'a str },
    FlawUnreadable { reason: &'a str },
    FlawRow { id: &'a str },
    FlawEvidence { id: &'a str },
    FlawSeal,
    FlawText { line: i64 },
    FlawUnknown { id: &'a str },
    FlawDiffers { id: &'a str },
    HintMore { command: &'a str },
    ExplainTopics, ResetNothing,
    ResetDone { what: &'a str, backup: &'a str },
    LessonsBeyond { count: i64 },
    LessonsWell { commands: i64 },
    LessonsBad { problems: i64 },
    LessonsTried { well: i64, all: i64 },
    // Cards
    CardSucceeds,
    CardDeclines { code: &'a str },
    CardDeclinesAfterAttaching, CardBadNumber, CardSecureAlways, CardSecureUnlessSetUp,
    CardSecureOnSession, CardSecureOptional, CardSecureFrictionless,
    CardThenDeclines { code: &'a str },
    CardThenError,
    CardFlagged { what: &'a str },
    CardDisputed { reason: &'a str },
    CardRefundPends, CardRefundFails, CardAvailableAtOnce, CardsFoot, CardsFilter, CardsSucceeds,
    CardsCountries, CardsDeclines, CardsSecure, CardsChecks, CardsDisputes, CardsRefunds,
    CardsBalance, CardsKonbini, KonbiniSucceeds, KonbiniExpires, KonbiniNever,
    // Doctor
    DoctorHome { path: &'a str },
    DoctorHomeBroken { path: &'a str, cause: &'a str },
    DoctorPort { port: i64, setting: &'a str },
    DoctorPortTaken { port: i64, setting: &'a str },
    DoctorPortFix { setting: &'a str },
    DoctorHost { base: &'a str },
    DoctorClock { ahead: i64 },
    DoctorClockUnknown,
    DoctorClockOff { ahead: i64 },
    DoctorClockFix, DoctorClockFixed, DoctorClockFixedFix,
    DoctorKey { key: &'a str, origin: &'a str },
    DoctorNoKey,
    DoctorRights { page: &'a str },
    DoctorRightsLacking { page: &'a str, rights: &'a str },
    DoctorRightsFix,
    DoctorSecrets { count: i64 },
    DoctorSecretsSandbox, DoctorNoSecrets, DoctorSecretsFix, DoctorSecretsOdd, DoctorSecretsOddFix,
    DoctorDisplay, DoctorNoDisplay, DoctorDisplayFix,
    DoctorLedger { path: &'a str },
    DoctorNoLedger { path: &'a str },
    DoctorSilentFix,
    DoctorLedgerBusy { path: &'a str },
    DoctorLedgerBroken { path: &'a str, cause: &'a str },
    DoctorLedgerBusyFix, DoctorLedgerFix, DoctorEnvAbsent, DoctorEnvSafe, DoctorEnvTracked,
    DoctorEnvFix, DoctorHomeFix, DoctorWell,
    DoctorBad { count: i64 },
    // Requests and faults
    ColHttpMethod, ColPath, ColRequest, ColAnswer, ColUses, RequestsEmpty, RequestFault { fault: &'a str },
    FaultsEmpty, FaultAdded { on: &'a str, answer: &'a str, times: i64 }, FaultsCleared { count: i64 }, NoticeFollowing { base: &'a str },
    // Facts of the course
    StateAlive,
    StateAnswer { of: &'a str, status: &'a str },
    StateAnswered { status: &'a str },
    StateAnsweredTo { of: &'a str, status: &'a str },
    StateAtLeast { what: &'a str, value: &'a str },
    StateAtMost { what: &'a str, value: &'a str },
    StateAttempts { count: i64 },
    StateAttemptsLeast { count: i64 },
    StateBegins { what: &'a str, value: &'a str },
    StateBody { of: &'a str },
    StateBroken,
    StateClean { rule: &'a str },
    StateColumn { name: &'a str },
    StateContains { what: &'a str, value: &'a str },
    StateDoor { page: &'a str, to: &'a str },
    StateEnds { end: &'a str },
    StateFirst { status: &'a str },
    StateFound { what: &'a str, value: &'a str },
    StateFrom { before: i64, after: i64 },
    StateGrew { by: i64 },
    StateGrows { by: i64 },
    StateHappens { kind: &'a str, count: i64 },
    StateHeader { name: &'a str },
    StateInstead { expected: &'a str, got: &'a str },
    StateIs { what: &'a str, value: &'a str },
    StateIsNot { what: &'a str, value: &'a str },
    StateIsNotThere { what: &'a str },
    StateIsOneOf { what: &'a str, value: &'a str },
    StateIsThere { what: &'a str },
    StateLogged { texts: &'a str },
    StateLonger { seconds: i64 },
    StateLooked { count: i64 },
    StateMember { name: &'a str, of: &'a str },
    StateMentions { file: &'a str, count: i64 },
    StateNear { what: &'a str, value: &'a str },
    StateNoRows { sessions: &'a str },
    StateNoSecret,
    StateNot { what: &'a str },
    StateNotJudged { root: &'a str },
    StateNotLogged { text: &'a str },
    StateNothing,
    StateOr { one: &'a str, other: &'a str },
    StateOthers { after: i64 },
    StateQuick { ms: i64 },
    StateRedirect,
    StateRefusal,
    StateRow { session: &'a str },
    StateRows { count: i64, session: &'a str },
    StateSilent { topics: &'a str },
    StateSuccess,
    StateToPayment,
    StateUnchanged,
    StateVerdicts { only: &'a str, count: i64 },
    StateWaits { root: &'a str },
    StateWhole { what: &'a str },
    StateWithin { seconds: i64 },
    StateWithout { of: &'a str, text: &'a str },
    // Events and triggers
    TriggerList, ControlNone, ObjectsMore { last: &'a str },
    TriggerDone { kind: &'a str, event: &'a str },
    TriggerNothing { kind: &'a str },
    EventsEmpty, ItemsId, ItemsTitle, ItemsKind, ItemsProof, ItemsCatches, ItemsAuto, ItemsPartial,
    ItemsAttested, ItemsAdvice, ItemsOwn,
    EventForNobody { event: &'a str },
    EventResent { kind: &'a str, event: &'a str },
    DeliverChanged,
    DeliverEvent { kind: &'a str, bytes: i64 },
    DeliverSame,
    DeliverTook { ms: i64 },
    DeliverUnsigned,
    SignHeader,
    SignKey { secret: &'a str },
    SignMac,
    SignText { bytes: i64 },
    TalkBeyond, TalkRest,
    TalkAnswer { answer: &'a str },
    TalkCodes,
    TalkCounts { shown: i64, done: i64, proved: i64, all: i64 },
    TalkDown,
    TalkElsewhere { command: &'a str },
    TalkEnd { title: &'a str },
    TalkFile { path: &'a str, line: i64 },
    TalkFootGone,
    TalkFootOpen,
    TalkGrading,
    TalkInstall,
    TalkLeave,
    TalkLess,
    TalkMended,
    TalkMore,
    TalkNext,
    TalkNextTry { seconds: i64 },
    TalkNoRaw,
    TalkOnlyShown,
    TalkOwn,
    TalkPlace { command: &'a str },
    TalkTaken { home: &'a str },
    EnvPassedOver { path: &'a str },
    TalkProved { held: i64, all: i64, left: i64 },
    TalkRight,
    TalkStep { at: i64, all: i64 },
    TalkUnheard,
    TalkUp { url: &'a str },
    TalkUnknown { word: &'a str },
}
