//! What changes what is seen of the time axis and the lanes, and what is chosen there.

use crate::app::keymap::Context;
use crate::app::selection::{self, Selection};
use crate::app::{App, Lanes, Run, Scene};
use crate::event::TaskId;
use crate::time::{Span, Time};
use std::ops::Range;

impl App {
    pub(super) fn sideways(&mut self, forward: bool) {
        if self.context() == Context::Form {
            self.form(|form| form.turn(forward));
            return;
        }
        if self.selection.task.is_none() {
            self.viewport.pan(if forward { 1 } else { -1 });
            return;
        }
        let cursor = self.cursor();
        let next = self
            .selection
            .next_task(&self.run.trace, self.large, forward, cursor);
        if let Some(next) = next {
            self.select(next);
        }
    }

    pub(super) fn vertical(&mut self, down: bool) {
        let at = self.chosen_moment();
        let next = self
            .selection
            .next_lane(&self.run.trace, self.large, down, at);
        self.select(next);
    }

    /// Where a lane is looked at: inside the selected task, so that going up and down stays at one
    /// place of the picture; else at the cursor.
    fn chosen_moment(&self) -> Time {
        let cursor = self.cursor();
        let task = self.selection.task.filter(|_| self.selection.row.is_some());
        task.and_then(|task| self.task(task))
            .filter(|task| task.started <= cursor)
            .map_or(cursor, |task| {
                let end = task.finished.min(cursor);
                Time(task.started.0 + end.since(task.started).0 / 2)
            })
    }

    fn select(&mut self, selection: Selection) {
        self.selection = selection;
        if let Some(row) = selection.row {
            self.first_lane = self.first_lane.min(row);
        }
        let task = selection.task.and_then(|task| self.task(task));
        if let Some(task) = task
            && task.started <= self.cursor()
        {
            self.viewport.reveal(task.started);
        }
    }

    pub(in crate::app) fn select_task(&mut self, task: TaskId) {
        let selection = Selection::task(&self.run.trace, self.large, task, self.cursor());
        self.select(selection);
    }

    /// Around the selected task where it is in sight, or else the cursor, or the middle.
    pub(super) fn zoom(&mut self, nearer: bool) {
        let span = self.viewport.span();
        let middle = |span: Span| Time(span.start().0 + span.length().0 / 2);
        let cursor = self.cursor();
        let task = self.selection.task.and_then(|task| self.task(task));
        let task = task.filter(|task| task.started <= cursor);
        let task = task.map(|task| Span::new(task.started, task.finished.min(cursor)));
        let task = task.filter(|task| task.start() <= span.end() && span.start() <= task.end());
        let around = match task {
            Some(task) => middle(task),
            None if span.contains(cursor) => cursor,
            None => middle(span),
        };
        self.viewport.zoom(nearer, around);
    }

    pub(super) fn fit(&mut self) {
        let end = self.axis_end();
        if self.run.over {
            self.viewport.fit_exactly(end);
        } else {
            self.viewport.fit_growing(end);
        }
    }

    /// The last moment that belongs into the picture.
    fn axis_end(&self) -> Time {
        let compared = self
            .previous
            .as_ref()
            .filter(|_| self.scene == Scene::Compare);
        let other = compared.map_or(Time::ZERO, Run::end);
        self.run.end().max(other)
    }

    /// Makes room for what stands beside the current run.
    pub(in crate::app) fn make_room(&mut self) {
        if self.scene == Scene::Compare {
            let end = self.axis_end();
            self.viewport.show(end);
        }
    }

    pub(super) fn swap_lanes(&mut self) {
        if self.large == Lanes::Workers && self.run.trace.cpus().is_empty() {
            self.say("no CPU is known to have run a task yet");
            return;
        }
        self.large = match self.large {
            Lanes::Workers => Lanes::Cpus,
            Lanes::Cpus => Lanes::Workers,
        };
        self.first_lane = 0;
        match self.selection.task {
            Some(task) => self.select_task(task),
            None => self.selection = Selection::default(),
        }
    }

    /// Shows these lanes; what is selected goes where it would be out of sight.
    pub(in crate::app) fn scroll_to(&mut self, lanes: &Range<usize>) {
        if lanes.len() >= selection::rows(&self.run.trace, self.large) {
            self.say("all lanes are in sight");
            return;
        }
        self.first_lane = lanes.start;
        if self.selection.row.is_some_and(|row| !lanes.contains(&row)) {
            self.selection = Selection::default();
        }
    }
}
