//! Keys, what they do, and what is said of them: one table.
//!
//! Dispatch, the hint bar, the help screen and the README all read [`ROWS`]. A config file can bind
//! other keys to an action; what is shown follows.

use crate::app::action::Action;
pub use crate::app::key::{Key, KeyError};
use crate::app::{App, Overlay, Scene};
use crate::method::{Badge, Rules};

/// Which part of the program the keys go to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Context {
    /// Whatever is open.
    Everywhere,
    /// The main screen, of the lab and of a program.
    Main,
    /// The main screen of the lab.
    Lab,
    /// The main screen of a program that is watched.
    Program,
    /// The help, the definitions or the inspector lie on top; what they have no key for goes to `Main`.
    Overlay,
    Form,
    Find,
    /// The output of the program lies on top; what it has no key for goes to the main screen.
    Output,
    /// The question what shall become of the program.
    Leave,
}

impl Context {
    /// Whether a row of this context holds where the keys go to `here`.
    fn holds(self, here: Self) -> bool {
        self == here
            || self == Self::Everywhere
            || self == Self::Main && matches!(here, Self::Lab | Self::Program)
    }
}

/// A word that depends on the state.
pub type Word = fn(&App) -> &'static str;

/// A row of the table: keys that belong together.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    pub context: Context,
    /// Keys as [`Key::parse`] reads them, in the order in which they are shown.
    pub keys: &'static [(&'static str, Action)],
    pub help: &'static str,
    /// Place in the hint bar, the smallest leftmost and the last to be left out; and the word there.
    pub hint: Option<(u8, Word)>,
    /// The hint bar shows only what would do something now.
    pub works: fn(&App) -> bool,
    /// The help screen lists it only where it ever works.
    pub listed: fn(&App) -> bool,
}

const fn row(context: Context, keys: &'static [(&'static str, Action)], help: &'static str) -> Row {
    Row {
        context,
        keys,
        help,
        hint: None,
        works: |_| true,
        listed: |_| true,
    }
}

impl Row {
    const fn hint(self, place: u8, word: Word) -> Self {
        Self {
            hint: Some((place, word)),
            ..self
        }
    }

    const fn listed(self, listed: fn(&App) -> bool) -> Self {
        Self { listed, ..self }
    }

    const fn works(self, works: fn(&App) -> bool) -> Self {
        Self { works, ..self }
    }
}

/// The rules of the experiment's method.
fn rules(app: &App) -> Option<Rules> {
    Some(app.run.experiment()?.method.rules())
}

/// The table, in the order of the help screen.
pub const ROWS: &[Row] = &[
    row(
        Context::Lab,
        &[("s", Action::SwitchForm)],
        "sync / async (imap: order)",
    )
    .hint(0, |app| match rules(app).map(|rules| rules.badge) {
        Some(Badge::Sync) => "async",
        Some(Badge::Async) => "sync",
        Some(Badge::IteratorInOrder) => "as finished",
        Some(Badge::IteratorAsFinished) => "in order",
        Some(Badge::Serial) | None => "",
    })
    .works(|app| rules(app).is_some_and(|rules| rules.partner.is_some())),
    row(
        Context::Lab,
        &[("m", Action::NextFamily), ("M", Action::PreviousFamily)],
        "next / previous method",
    )
    .hint(1, |_| "method"),
    row(Context::Lab, &[("b", Action::NextBackend)], "backend").hint(8, |_| "backend"),
    row(
        Context::Lab,
        &[
            ("-", Action::FewerWorkers),
            ("+", Action::MoreWorkers),
            ("=", Action::MoreWorkers),
        ],
        "fewer / more workers",
    )
    .hint(7, |_| "workers"),
    row(Context::Lab, &[("e", Action::Edit)], "edit the experiment").hint(9, |_| "edit"),
    row(
        Context::Lab,
        &[("r", Action::RunAgain), ("n", Action::NewSeed)],
        "run again / with new seed",
    )
    .hint(4, |_| "again")
    .works(App::at_end),
    row(
        Context::Lab,
        &[("K", Action::Kill)],
        "kill the worker (a process)",
    )
    .hint(3, |_| "kill")
    .works(App::can_kill)
    .listed(App::has_mortal_workers),
    row(
        Context::Program,
        &[("F", Action::Findings)],
        "what is wrong, what is slow",
    )
    .hint(2, |_| "findings")
    .works(|app| !app.findings.found.is_empty()),
    row(
        Context::Program,
        &[("O", Action::Output)],
        "output of the program",
    )
    .hint(0, |_| "output"),
    row(
        Context::Program,
        &[("(", Action::PreviousCall), (")", Action::NextCall)],
        "call before / after",
    )
    .hint(1, |_| "calls")
    .works(|app| app.run.trace.calls().len() > 1),
    row(Context::Main, &[("space", Action::Pause)], "pause / go on").hint(2, |app| {
        if app.at_end() {
            "replay"
        } else if app.run.playback.is_paused() {
            "go on"
        } else {
            "pause"
        }
    }),
    row(
        Context::Main,
        &[(".", Action::StepForward), (",", Action::StepBack)],
        "step an event on / back",
    )
    .hint(3, |_| "step")
    // Two runs beside each other are mostly looked at as wholes, and have no room to spare.
    .works(|app| app.scene != Scene::Compare),
    row(
        Context::Main,
        &[
            ("[", Action::PreviousMarker),
            ("]", Action::NextMarker),
            ("pageup", Action::PreviousMarker),
            ("pagedown", Action::NextMarker),
        ],
        "marker before / after",
    ),
    row(
        Context::Main,
        &[("<", Action::Slower), (">", Action::Faster)],
        "slower / faster",
    )
    .hint(10, |_| "speed")
    .works(|app| !app.at_end()),
    row(
        Context::Main,
        &[("home", Action::ToStart), ("end", Action::ToEnd)],
        "start / live end",
    ),
    row(
        Context::Main,
        &[
            ("left", Action::Left),
            ("right", Action::Right),
            ("up", Action::Up),
            ("down", Action::Down),
        ],
        "pan; choose lane and task",
    )
    .hint(1, |_| "lane, task")
    .works(|app| !app.selection.is_empty()),
    row(
        Context::Main,
        &[
            ("i", Action::ZoomIn),
            ("o", Action::ZoomOut),
            ("0", Action::Fit),
        ],
        "zoom in, out; fit, follow",
    )
    .hint(12, |_| "zoom"),
    row(
        Context::Main,
        &[("l", Action::SwapLanes)],
        "workers / CPUs large",
    ),
    row(
        Context::Main,
        &[("{", Action::LanesUp), ("}", Action::LanesDown)],
        "scroll the lanes",
    ),
    row(
        Context::Main,
        &[("enter", Action::Inspect)],
        "inspect the selected task",
    )
    .hint(11, |_| "inspect")
    .works(|app| app.run.trace.call().is_some()),
    row(Context::Main, &[("/", Action::Find)], "find tasks"),
    row(
        Context::Main,
        &[
            ("1", Action::Timeline),
            ("2", Action::Order),
            ("3", Action::Numbers),
        ],
        "timeline, order, numbers",
    )
    .hint(14, |_| "views"),
    row(
        Context::Main,
        &[("tab", Action::NextPanel), ("z", Action::ZoomPanel)],
        "next panel / panel alone",
    ),
    row(
        Context::Lab,
        &[("c", Action::Compare)],
        "compare with previous run",
    )
    .hint(5, |_| "compare")
    // There its way back is Esc.
    .works(|app| app.previous.is_some() && app.scene != Scene::Compare),
    row(
        Context::Main,
        &[("d", Action::Definitions)],
        "numbers with definitions",
    )
    .hint(15, |_| "definitions"),
    row(
        Context::Main,
        &[
            ("p", Action::Presenter),
            ("T", Action::Theme),
            ("u", Action::Mouse),
        ],
        "presenter, theme, mouse",
    )
    .hint(13, |_| "presenter, theme, mouse"),
    row(
        Context::Main,
        &[("?", Action::Help), ("f1", Action::Help)],
        "keys, legend, glossary",
    )
    .hint(5, |_| "help"),
    row(
        Context::Main,
        &[("esc", Action::Close)],
        "close what is on top",
    )
    .hint(4, |_| "close")
    .works(|app| app.scene != Scene::View),
    row(Context::Main, &[("q", Action::Quit)], "quit").hint(6, |_| "quit"),
    row(
        Context::Everywhere,
        &[("ctrl-c", Action::Quit)],
        "quit, whatever is open",
    ),
    row(
        Context::Everywhere,
        &[("ctrl-z", Action::Suspend)],
        "suspend",
    ),
    row(
        Context::Overlay,
        &[("pageup", Action::PageUp), ("pagedown", Action::PageDown)],
        "page up / down",
    )
    .hint(1, |_| "page")
    .works(|app| !matches!(app.overlay, Some(Overlay::Inspector))),
    row(Context::Overlay, &[("esc", Action::Close)], "close").hint(0, |_| "close"),
    row(Context::Form, &[("enter", Action::Run)], "run it").hint(0, |_| "run"),
    row(
        Context::Form,
        &[("left", Action::Left), ("right", Action::Right)],
        "change",
    )
    .hint(1, |_| "change"),
    row(
        Context::Form,
        &[
            ("up", Action::PreviousField),
            ("down", Action::NextField),
            ("backtab", Action::PreviousField),
            ("tab", Action::NextField),
        ],
        "previous / next field",
    )
    .hint(2, |_| "field"),
    row(Context::Form, &[("esc", Action::Close)], "leave").hint(3, |_| "leave"),
    row(
        Context::Find,
        &[("up", Action::PreviousMatch), ("down", Action::NextMatch)],
        "previous / next match",
    )
    .hint(0, |_| "match"),
    row(Context::Find, &[("enter", Action::KeepMatch)], "keep").hint(1, |_| "keep"),
    row(Context::Find, &[("esc", Action::Close)], "leave").hint(2, |_| "leave"),
    row(
        Context::Output,
        &[
            ("up", Action::Up),
            ("down", Action::Down),
            ("pageup", Action::PageUp),
            ("pagedown", Action::PageDown),
        ],
        "scroll",
    )
    .hint(1, |_| "scroll"),
    row(
        Context::Output,
        &[("home", Action::ToStart), ("end", Action::ToEnd)],
        "first / last line, and follow",
    )
    .hint(3, |_| "first, last"),
    row(Context::Output, &[("/", Action::Find)], "find a text").hint(2, |_| "find"),
    row(
        Context::Output,
        &[("z", Action::ZoomPanel)],
        "whole screen / half",
    )
    .hint(4, |_| "whole screen"),
    row(
        Context::Output,
        &[("esc", Action::Close), ("O", Action::Output)],
        "close",
    )
    .hint(0, |_| "close"),
    row(
        Context::Leave,
        &[("i", Action::Interrupt)],
        "interrupt it (SIGINT), as Ctrl-C in a terminal; Ctrl-C too",
    ),
    row(
        Context::Leave,
        &[("t", Action::Terminate)],
        "terminate it (SIGTERM); once more kills it",
    ),
    row(
        Context::Leave,
        &[("l", Action::LeaveRunning)],
        "leave it running, close the view",
    ),
    row(Context::Leave, &[("esc", Action::Close)], "go back"),
];

#[derive(Clone, Copy, Debug)]
struct Bound {
    key: Key,
    context: Context,
    action: Action,
    row: usize,
}

/// The table with the keys that are bound now.
#[derive(Clone, Debug)]
pub struct Keymap {
    bound: Vec<Bound>,
}

impl Default for Keymap {
    fn default() -> Self {
        let bound = ROWS.iter().enumerate().flat_map(|(number, row)| {
            row.keys.iter().filter_map(move |&(text, action)| {
                Some(Bound {
                    key: Key::parse(text).ok()?,
                    context: row.context,
                    action,
                    row: number,
                })
            })
        });
        Self {
            bound: bound.collect(),
        }
    }
}

/// A row as it is shown now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// `m M`
    pub keys: String,
    pub words: &'static str,
}

/// What the hint bar says of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hint {
    /// `m M`
    pub keys: String,
    /// What each of these keys does.
    pub actions: Vec<Action>,
    pub words: &'static str,
}

impl Keymap {
    /// Binds these keys, and only these, to the action of this name, wherever it can be reached. What
    /// works whatever is open stays beside them: Ctrl-C always quits. Call [`Keymap::check`] afterwards.
    pub fn rebind(&mut self, name: &str, keys: &[String]) -> Result<(), KeyError> {
        let action = Action::named(name).ok_or_else(|| KeyError::NoAction(name.to_owned()))?;
        let keys = keys
            .iter()
            .map(|key| Key::parse(key))
            .collect::<Result<Vec<_>, _>>()?;
        let (mut places, kept): (Vec<Bound>, Vec<Bound>) = self
            .bound
            .iter()
            .partition(|bound| bound.action == action && bound.context != Context::Everywhere);
        places.dedup_by_key(|place| place.row);
        self.bound = kept;
        for place in places {
            let bound = keys.iter().map(|&key| Bound { key, ..place });
            self.bound.extend(bound);
        }
        Ok(())
    }

    /// Whether some key means two things. Asked once after all bindings, so that two keys can be swapped.
    pub fn check(&self) -> Result<(), KeyError> {
        for (number, one) in self.bound.iter().enumerate() {
            let same = |other: &&Bound| {
                other.key == one.key
                    && other.action != one.action
                    && (other.context.holds(one.context) || one.context.holds(other.context))
            };
            if let Some(other) = self.bound[number + 1..].iter().find(same) {
                return Err(KeyError::Twice {
                    key: one.key.label(),
                    first: one.action.name(),
                    second: other.action.name(),
                });
            }
        }
        Ok(())
    }

    /// What this key means here.
    pub fn action(&self, key: Key, context: Context) -> Option<Action> {
        self.bound
            .iter()
            .find(|bound| bound.key == key && bound.context.holds(context))
            .map(|bound| bound.action)
    }

    /// The keys of a row of [`ROWS`], as they are shown: `m M`.
    pub fn keys(&self, row: usize) -> String {
        let mut labels: Vec<String> = Vec::new();
        for bound in self.bound.iter().filter(|bound| bound.row == row) {
            let label = bound.key.label();
            if !labels.contains(&label) {
                labels.push(label);
            }
        }
        labels.join(" ")
    }

    /// One key for each action of a row, and these actions.
    fn first_keys(&self, row: usize) -> (String, Vec<Action>) {
        let (mut labels, mut actions) = (Vec::new(), Vec::new());
        for bound in self.bound.iter().filter(|bound| bound.row == row) {
            if !actions.contains(&bound.action) {
                labels.push(bound.key.label());
                actions.push(bound.action);
            }
        }
        (labels.join(" "), actions)
    }

    /// The first key of an action, as it is shown; empty if it has none.
    pub fn of(&self, action: Action) -> String {
        let bound = self.bound.iter().find(|bound| bound.action == action);
        bound.map_or_else(String::new, |bound| bound.key.label())
    }

    /// The keys that start another run: `s, m or r`.
    pub fn starters(&self) -> String {
        let keys = [Action::SwitchForm, Action::NextFamily, Action::RunAgain];
        let [switch, family, again] = keys.map(|action| self.of(action));
        format!("{switch}, {family} or {again}")
    }

    /// Every row that holds here, those of everywhere last, with its help text.
    pub fn help(&self, here: Context) -> impl Iterator<Item = Entry> + '_ {
        rows(here).map(|(number, row)| self.entry(number, row))
    }

    fn entry(&self, number: usize, row: &Row) -> Entry {
        Entry {
            keys: self.keys(number),
            words: row.help,
        }
    }

    /// What of that is listed for what is watched now.
    pub fn help_now<'a>(&'a self, app: &'a App) -> impl Iterator<Item = Entry> + 'a {
        rows(app.below())
            .filter(|(_, row)| (row.listed)(app))
            .map(|(number, row)| self.entry(number, row))
    }

    /// Every row of this context alone, as the question shows them that they answer.
    pub fn answers(&self, context: Context) -> impl Iterator<Item = Entry> + '_ {
        let rows = ROWS.iter().enumerate();
        rows.filter(move |(_, row)| row.context == context)
            .map(|(number, row)| self.entry(number, row))
    }

    /// What works now, the most useful first; as many as fit belong in the hint bar.
    pub fn hints(&self, app: &App) -> Vec<Hint> {
        let context = app.context();
        let below = matches!(context, Context::Overlay | Context::Output)
            && !matches!(app.overlay, Some(Overlay::Help { .. }));
        let here = |row: &Row| {
            row.context != Context::Everywhere
                && (row.context.holds(context)
                    || below && row.context.holds(app.below()) && row.keys[0].1 != Action::Close)
        };
        let mut hints: Vec<((bool, u8), Hint)> = ROWS
            .iter()
            .enumerate()
            .filter(|(_, row)| here(row) && (row.works)(app))
            .filter_map(|(number, row)| {
                let (place, word) = row.hint?;
                let (keys, actions) = self.first_keys(number);
                let order = (!row.context.holds(context), place);
                let words = word(app);
                let hint = Hint {
                    keys,
                    actions,
                    words,
                };
                (!hint.actions.is_empty()).then_some((order, hint))
            })
            .collect();
        hints.sort_by_key(|(order, _)| *order);
        hints.into_iter().map(|(_, hint)| hint).collect()
    }
}

/// Every row that holds here with its place in the table, those of everywhere last.
fn rows(here: Context) -> impl Iterator<Item = (usize, &'static Row)> {
    let (everywhere, own): (Vec<_>, Vec<_>) = ROWS
        .iter()
        .enumerate()
        .filter(|(_, row)| row.context.holds(here))
        .partition(|(_, row)| row.context == Context::Everywhere);
    own.into_iter().chain(everywhere)
}

#[cfg(test)]
mod tests;
