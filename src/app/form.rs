//! The form in which every field of the lab's command line can be changed.

use crate::experiment::Experiment;
use tui_input::Input;

/// What stands beside a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Note {
    Plain(String),
    /// It will run, but not as one may think.
    Warning(String),
    /// It cannot run.
    Wrong(String),
}

/// How a field is filled in.
#[derive(Clone, Debug)]
pub enum Entry {
    Text(Input),
    /// One of these words, by Left and Right.
    Choice {
        words: &'static [&'static str],
        at: usize,
    },
}

#[derive(Clone, Debug)]
pub struct Field {
    pub label: &'static str,
    pub entry: Entry,
    pub note: Note,
}

#[derive(Clone, Debug)]
pub struct Form {
    pub fields: Vec<Field>,
    /// The field that the keys go to.
    pub focus: usize,
    /// One line that foretells the run.
    pub forecast: String,
}

impl Field {
    pub fn text(&self) -> &str {
        match &self.entry {
            Entry::Text(input) => input.value(),
            Entry::Choice { words, at } => words.get(*at).copied().unwrap_or_default(),
        }
    }
}

impl Form {
    pub fn new(_experiment: &Experiment) -> Self {
        Self {
            fields: Vec::new(),
            focus: 0,
            forecast: String::new(),
        }
    }
}
