//! What fills the screen, and what lies on top of it.

use crate::app::find::Find;
use crate::app::form::Form;
use crate::app::output::OutputPanel;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum View {
    #[default]
    Timeline,
    Order,
    Numbers,
}

/// What fills the screen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Scene {
    /// The view that is chosen.
    #[default]
    View,
    /// One panel of the timeline.
    Panel,
    /// The last two runs, one above the other.
    Compare,
    Presenter,
}

/// The panels of the timeline that can have the screen for themselves, in the order of `Tab`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Panel {
    #[default]
    Lanes,
    Cpus,
    Strips,
    Numbers,
    Events,
}

impl Panel {
    pub const ALL: [Self; 5] = [
        Self::Lanes,
        Self::Cpus,
        Self::Strips,
        Self::Numbers,
        Self::Events,
    ];

    #[must_use]
    pub(super) fn next(self) -> Self {
        let here = Self::ALL.iter().position(|&panel| panel == self);
        Self::ALL[here.map_or(0, |here| (here + 1) % Self::ALL.len())]
    }
}

/// Which lanes are large.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Lanes {
    #[default]
    Workers,
    Cpus,
}

/// What lies on top of the scene; one thing at a time.
#[derive(Clone, Debug)]
pub enum Overlay {
    /// Keys, legend, glossary.
    Help {
        page: usize,
    },
    /// Every number with its definition.
    Definitions {
        page: usize,
    },
    /// What went wrong in a program and what is slow.
    Findings {
        page: usize,
    },
    /// The story of the selected task.
    Inspector,
    Form(Box<Form>),
    Find(Box<Find>),
    /// What the program that is watched has printed.
    Output(Box<OutputPanel>),
    /// What shall become of it.
    Leave,
}
