//! What changes what is seen of the time axis and the lanes, and what is chosen there.

use crate::app::action::Action;
use crate::app::keymap::Context;
use crate::app::selection::{self, Selection};
use crate::app::viewport::Follow;
use crate::app::{App, Lanes, Panel, Run, Scene, View};
use crate::event::TaskId;
use crate::time::{Span, Time};
use std::ops::Range;

impl App {
    pub(super) fn sideways(&mut self, forward: bool) {
        if self.context() == Context::Form {
            self.form(|form| form.turn(forward));
            return;
        }
        if self.selection.task.is_none() || !self.shows_selection() {
            self.pan(forward);
            return;
        }
        let cursor = self.cursor();
        let next = self
            .selection
            .next_task(&self.run.trace, self.large, forward, cursor);
        match next {
            Some(next) => self.select(next),
            None if self.selection.row.is_none() => self.say("this task is on no lane"),
            None if !forward => self.say("no earlier task is on this lane"),
            None if self.at_end() => self.say("no later task is on this lane"),
            None => self.say("no later task is on this lane yet"),
        }
    }

    /// What is selected is marked on the screen; where it is not, nobody means it.
    fn shows_selection(&self) -> bool {
        !matches!(self.scene, Scene::Compare | Scene::Presenter)
    }

    /// Not into what is empty, see [`Viewport::pan`](crate::app::viewport::Viewport::pan).
    fn pan(&mut self, forward: bool) {
        if !self.has_axis() {
            return self.say("there is no time axis here to move");
        }
        let seen = self.viewport.span();
        let is_edge = if forward {
            seen.end() >= self.axis_end()
        } else {
            seen.start() == Time::ZERO
        };
        match (is_edge, forward) {
            (false, _) => self.viewport.pan(if forward { 1 } else { -1 }),
            (true, false) => self.say("nothing lies further left: the start is in sight"),
            (true, true) if self.run.over => {
                self.say("nothing lies further right: the end is in sight");
            }
            (true, true) => self.say("nothing lies further right yet"),
        }
    }

    pub(super) fn vertical(&mut self, down: bool) {
        if self.scene == Scene::Presenter {
            return self.say("the presenter shows no choice of lanes: { } scroll them");
        }
        if self.scene == Scene::Compare {
            let close = self.keymap.of(Action::Close);
            return self.say(format!(
                "two runs beside each other show no choice of lanes: {close} goes back"
            ));
        }
        let at = self.chosen_moment();
        let next = self
            .selection
            .next_lane(&self.run.trace, self.large, down, at);
        if next == self.selection {
            self.say(match (next.row, down) {
                (None, _) => "there is no lane yet",
                (_, true) => "this is the last lane",
                (_, false) => "this is the first lane",
            });
        }
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
        if let Some(row) = selection.row.filter(|&row| row < self.first_lane()) {
            self.scrolled_to = Some(row);
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
        let task = self.selection.task.filter(|_| self.shows_selection());
        let task = task.and_then(|task| self.task(task));
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

    /// Whether the axis shows the moment that the cursor is at. Of a run seen to its end nothing more is to
    /// come, and what has no axis hides nothing.
    pub(in crate::app) fn cursor_is_in_sight(&self) -> bool {
        let by_hand = matches!(self.viewport.follow, Follow::Hand | Follow::Page);
        let (span, cursor) = (self.viewport.span(), self.cursor());
        let shows = span.start() <= cursor && cursor <= span.end();
        !self.has_axis() || !by_hand || self.at_end() || shows
    }

    /// What is shown has a time axis that can be moved.
    fn has_axis(&self) -> bool {
        match self.scene {
            Scene::View => self.view == View::Timeline,
            Scene::Panel => matches!(self.panel, Panel::Lanes | Panel::Cpus),
            Scene::Compare => true,
            Scene::Presenter => false,
        }
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
            let yet = if self.run.over { "" } else { " yet" };
            self.say(format!("no CPU is known to have run a task{yet}"));
            return;
        }
        self.large = match self.large {
            Lanes::Workers => Lanes::Cpus,
            Lanes::Cpus => Lanes::Workers,
        };
        self.scrolled_to = None;
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
        self.scrolled_to = Some(lanes.start);
        if self.selection.row.is_some_and(|row| !lanes.contains(&row)) {
            self.selection = Selection::default();
        }
    }
}
