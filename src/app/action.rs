//! What the person meant, whichever key or click said so.

/// One thing that a key does. A key of the table is bound to exactly one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    // A new run.
    SwitchForm,
    NextFamily,
    PreviousFamily,
    NextBackend,
    FewerWorkers,
    MoreWorkers,
    Edit,
    RunAgain,
    NewSeed,
    // The run itself.
    Kill,
    // A program.
    PreviousCall,
    NextCall,
    Findings,
    Output,
    Interrupt,
    Terminate,
    LeaveRunning,
    // Where the cursor is.
    Pause,
    StepForward,
    StepBack,
    PreviousMarker,
    NextMarker,
    Slower,
    Faster,
    ToStart,
    ToEnd,
    // What part of the time axis is seen, and what is chosen.
    Left,
    Right,
    Up,
    Down,
    ZoomIn,
    ZoomOut,
    Fit,
    // What is seen.
    SwapLanes,
    LanesUp,
    LanesDown,
    Timeline,
    Order,
    Numbers,
    NextPanel,
    ZoomPanel,
    Compare,
    Presenter,
    Theme,
    Mouse,
    // What lies on top.
    Inspect,
    Find,
    Definitions,
    Help,
    Close,
    PageDown,
    PageUp,
    // In the form and in the line of the search.
    NextField,
    PreviousField,
    Run,
    NextMatch,
    PreviousMatch,
    KeepMatch,
    // The program.
    Quit,
    Suspend,
}

impl Action {
    /// Every action, for the tests and for the names of the config file.
    pub const ALL: [(Self, &'static str); 60] = [
        (Self::SwitchForm, "switch-form"),
        (Self::NextFamily, "next-family"),
        (Self::PreviousFamily, "previous-family"),
        (Self::NextBackend, "next-backend"),
        (Self::FewerWorkers, "fewer-workers"),
        (Self::MoreWorkers, "more-workers"),
        (Self::Edit, "edit"),
        (Self::RunAgain, "run-again"),
        (Self::NewSeed, "new-seed"),
        (Self::Kill, "kill"),
        (Self::PreviousCall, "previous-call"),
        (Self::NextCall, "next-call"),
        (Self::Findings, "findings"),
        (Self::Output, "output"),
        (Self::Interrupt, "interrupt"),
        (Self::Terminate, "terminate"),
        (Self::LeaveRunning, "leave-running"),
        (Self::Pause, "pause"),
        (Self::StepForward, "step-forward"),
        (Self::StepBack, "step-back"),
        (Self::PreviousMarker, "previous-marker"),
        (Self::NextMarker, "next-marker"),
        (Self::Slower, "slower"),
        (Self::Faster, "faster"),
        (Self::ToStart, "to-start"),
        (Self::ToEnd, "to-end"),
        (Self::Left, "left"),
        (Self::Right, "right"),
        (Self::Up, "up"),
        (Self::Down, "down"),
        (Self::ZoomIn, "zoom-in"),
        (Self::ZoomOut, "zoom-out"),
        (Self::Fit, "fit"),
        (Self::SwapLanes, "swap-lanes"),
        (Self::LanesUp, "lanes-up"),
        (Self::LanesDown, "lanes-down"),
        (Self::Timeline, "timeline"),
        (Self::Order, "order"),
        (Self::Numbers, "numbers"),
        (Self::NextPanel, "next-panel"),
        (Self::ZoomPanel, "zoom-panel"),
        (Self::Compare, "compare"),
        (Self::Presenter, "presenter"),
        (Self::Theme, "theme"),
        (Self::Mouse, "mouse"),
        (Self::Inspect, "inspect"),
        (Self::Find, "find"),
        (Self::Definitions, "definitions"),
        (Self::Help, "help"),
        (Self::Close, "close"),
        (Self::PageDown, "page-down"),
        (Self::PageUp, "page-up"),
        (Self::NextField, "next-field"),
        (Self::PreviousField, "previous-field"),
        (Self::Run, "run"),
        (Self::NextMatch, "next-match"),
        (Self::PreviousMatch, "previous-match"),
        (Self::KeepMatch, "keep-match"),
        (Self::Quit, "quit"),
        (Self::Suspend, "suspend"),
    ];

    /// The name in the config file.
    pub fn name(self) -> &'static str {
        Self::ALL
            .iter()
            .find(|row| row.0 == self)
            .map_or("", |row| row.1)
    }

    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|row| row.1 == name).map(|row| row.0)
    }
}
