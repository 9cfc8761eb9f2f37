//! Keys, what they do, and what is said of them: one table.
//!
//! Dispatch, the hint bar, the help screen and the README all read [`ROWS`]. A config file can bind
//! other keys to an action; what is shown follows.

mod table;

pub use crate::app::key::{Key, KeyError};
pub use table::{Context, ROWS, Row, Word};

use crate::app::action::Action;
use crate::app::{App, Overlay};

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
    /// Arrow keys are shown as arrows; else by their names.
    arrows: bool,
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
            arrows: true,
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
    /// The same as it is shown where a terminal has no arrows: `<` is another key.
    #[must_use]
    pub fn without_arrows(self) -> Self {
        Self {
            arrows: false,
            ..self
        }
    }

    /// Binds these keys, and only these, to the action of this name, wherever it can be reached. What
    /// works whatever is open stays beside them: Ctrl-C always quits; they work on the main screen then,
    /// for elsewhere they may be typed. Call [`Keymap::check`] afterwards.
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
        if places.is_empty() {
            let everywhere = self.bound.iter().find(|bound| bound.action == action);
            places.extend(everywhere.map(|&bound| Bound {
                context: Context::Main,
                ..bound
            }));
        }
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
                    key: one.key.label(self.arrows),
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

    /// What to say of a key of the lab in a program, and the other way round.
    pub fn elsewhere(&self, key: Key, here: Context) -> Option<String> {
        let (other, place) = match here {
            Context::Lab => (Context::Program, "for a program that is watched"),
            Context::Program => (Context::Lab, "in the lab"),
            _ => return None,
        };
        let row = |bound: &&Bound| bound.key == key && bound.context == other;
        let bound = self.bound.iter().find(row)?;
        Some(format!("only {place}: {}", ROWS[bound.row].help))
    }

    /// The keys of a row of [`ROWS`], as they are shown: `m M`.
    pub fn keys(&self, row: usize) -> String {
        let mut labels: Vec<String> = Vec::new();
        for bound in self.bound.iter().filter(|bound| bound.row == row) {
            let label = bound.key.label(self.arrows);
            if !labels.contains(&label) {
                labels.push(label);
            }
        }
        joined(&labels)
    }

    /// One key for each action of a row, and these actions.
    fn first_keys(&self, row: usize) -> (String, Vec<Action>) {
        let (mut labels, mut actions) = (Vec::new(), Vec::new());
        for bound in self.bound.iter().filter(|bound| bound.row == row) {
            if !actions.contains(&bound.action) {
                labels.push(bound.key.label(self.arrows));
                actions.push(bound.action);
            }
        }
        (joined(&labels), actions)
    }

    /// The first key of an action, as it is shown; empty if it has none.
    pub fn of(&self, action: Action) -> String {
        let bound = self.bound.iter().find(|bound| bound.action == action);
        bound.map_or_else(String::new, |bound| bound.key.label(self.arrows))
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
        // What lies on top may have its own meaning for a key of what lies below.
        let is_free = |number: usize| {
            let first = self.bound.iter().find(|bound| bound.row == number);
            first.is_some_and(|bound| self.action(bound.key, context).is_none())
        };
        let here = |number: usize, row: &Row| {
            row.context != Context::Everywhere
                && (row.context.holds(context)
                    || below && row.context.holds(app.below()) && is_free(number))
        };
        let mut hints: Vec<((bool, u8), Hint)> = ROWS
            .iter()
            .enumerate()
            .filter(|(number, row)| here(*number, row) && (row.works)(app))
            .filter_map(|(number, row)| {
                let (place, word) = row.hint?;
                let (keys, actions) = self.first_keys(number);
                let sooner = row.sooner.filter(|(_, when)| when(app));
                let place = sooner.map_or(place, |(place, _)| place);
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

/// Keys one after another; all four arrow keys are too long by their names.
fn joined(labels: &[String]) -> String {
    let words = labels.join(" ");
    match words.as_str() {
        "Left Right Up Down" => "arrows".to_owned(),
        _ => words,
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
