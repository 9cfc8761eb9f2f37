//! What each action does to the state.

use crate::app::action::Action;
use crate::app::find::Find;
use crate::app::form::Form;
use crate::app::keymap::Context;
use crate::app::selection::{self, Selection};
use crate::app::{App, Effect, Lanes, Overlay, Panel, Run, Scene, View};
use crate::event::TaskId;
use crate::time::Time;
use crate::trace::MarkerKind;
use std::ops::Range;

impl App {
    pub(super) fn act(&mut self, action: Action) -> Option<Effect> {
        match action {
            Action::SwitchForm
            | Action::NextFamily
            | Action::PreviousFamily
            | Action::NextBackend
            | Action::FewerWorkers
            | Action::MoreWorkers
            | Action::Edit
            | Action::RunAgain
            | Action::NewSeed
            | Action::Run
            | Action::Kill
            | Action::Compare => return self.act_in_lab(action),
            Action::PreviousCall => self.step_call(false),
            Action::NextCall => self.step_call(true),
            Action::Findings => self.toggle_overlay(Overlay::Findings { page: 0 }),
            Action::Output | Action::Interrupt | Action::Terminate | Action::LeaveRunning => {
                return self.act_on_program(action);
            }
            _ if matches!(self.overlay, Some(Overlay::Output(_))) && is_of_panel(action) => {
                return self.act_in_output(action);
            }
            Action::Pause => self.pause(),
            Action::StepForward => self.step(true),
            Action::StepBack => self.step(false),
            Action::PreviousMarker => self.marker(false),
            Action::NextMarker => self.marker(true),
            Action::Slower => self.run.playback.slower(),
            Action::Faster => self.faster(),
            Action::ToStart => self.go_to_start(),
            Action::ToEnd => self.go_to_end(),
            Action::Left => self.sideways(false),
            Action::Right => self.sideways(true),
            Action::Up => self.vertical(false),
            Action::Down => self.vertical(true),
            Action::ZoomIn => self.zoom(true),
            Action::ZoomOut => self.zoom(false),
            Action::Fit => self.fit(),
            Action::SwapLanes => self.swap_lanes(),
            Action::LanesUp => return Some(Effect::Scroll { down: false }),
            Action::LanesDown => return Some(Effect::Scroll { down: true }),
            Action::Timeline => self.view(View::Timeline),
            Action::Order => self.view(View::Order),
            Action::Numbers => self.view(View::Numbers),
            Action::NextPanel => self.next_panel(),
            Action::ZoomPanel => self.toggle_scene(Scene::Panel),
            Action::Presenter => self.toggle_scene(Scene::Presenter),
            Action::Theme => {
                self.look.theme = self.look.theme.next();
                self.theme_named = true;
            }
            Action::Mouse => return Some(self.toggle_mouse()),
            Action::Inspect => self.inspect(),
            Action::Find => self.overlay = Some(Overlay::Find(Box::new(Find::new(self.selection)))),
            Action::Definitions => self.toggle_overlay(Overlay::Definitions { page: 0 }),
            Action::Help => self.toggle_overlay(Overlay::Help { page: 0 }),
            Action::Close => self.close(),
            Action::PageDown => self.page(true),
            Action::PageUp => self.page(false),
            Action::NextField => self.form(|form| form.move_focus(true)),
            Action::PreviousField => self.form(|form| form.move_focus(false)),
            Action::NextMatch => self.next_match(true),
            Action::PreviousMatch => self.next_match(false),
            Action::KeepMatch => self.overlay = None,
            Action::Quit => return self.quit(),
            Action::Suspend => {
                // The clock goes on meanwhile, the picture does not.
                self.ticked = None;
                return Some(Effect::Suspend);
            }
        }
        None
    }

    /// What the keys that scroll and search do to the output.
    fn act_in_output(&mut self, action: Action) -> Option<Effect> {
        match action {
            Action::Up => self.in_output(|panel, lines, rows| panel.scroll(-1, lines, rows)),
            Action::Down => self.in_output(|panel, lines, rows| panel.scroll(1, lines, rows)),
            Action::PageUp => self.in_output(|panel, lines, rows| panel.page(false, lines, rows)),
            Action::PageDown => self.in_output(|panel, lines, rows| panel.page(true, lines, rows)),
            Action::ToStart => {
                self.in_output(|panel, lines, rows| panel.scroll(i64::MIN, lines, rows))
            }
            Action::ToEnd => {
                self.in_output(|panel, lines, rows| panel.scroll(i64::MAX, lines, rows))
            }
            Action::ZoomPanel => self.in_output(|panel, lines, _| {
                panel.is_tall = !panel.is_tall;
                panel.end = panel.end.min(lines);
            }),
            Action::Find => self.in_search(|panel| {
                panel.seek();
                None
            }),
            Action::PreviousMatch => self.in_search(|panel| panel.turn(true)),
            Action::NextMatch => self.in_search(|panel| panel.turn(false)),
            Action::KeepMatch => self.end_search(true),
            _ => self.end_search(false),
        }
    }

    /// Closes the line of the search, or the panel where none is open.
    fn end_search(&mut self, stays: bool) -> Option<Effect> {
        let mut searched = false;
        let effect = self.in_output(|panel, _, _| searched = panel.end_search(stays));
        if !searched {
            self.overlay = None;
            return None;
        }
        effect
    }

    pub(super) fn say(&mut self, text: impl Into<String>) {
        self.notice = Some(text.into());
    }

    // The cursor.

    fn pause(&mut self) {
        let run = &mut self.run;
        run.playback.toggle(run.end(), run.over);
        let cursor = self.cursor();
        if cursor == Time::ZERO {
            self.viewport.reveal(cursor);
        }
    }

    /// Puts the cursor on a moment that the person asked for.
    pub(super) fn jump(&mut self, at: Time) {
        let at = at.min(self.run.end());
        self.run.playback.stop_at(at);
        self.viewport.reveal(at);
    }

    fn step(&mut self, forward: bool) {
        let (trace, cursor, end) = (&self.run.trace, self.cursor(), self.run.end());
        let moment = if forward {
            trace.moment_after(cursor).filter(|&at| at <= end)
        } else {
            trace.moment_before(cursor)
        };
        match moment {
            Some(at) => self.jump(at),
            None if forward && !self.run.over => {
                self.jump(cursor);
                self.say("nothing more has happened yet");
            }
            None => self.jump(if forward { end } else { Time::ZERO }),
        }
    }

    /// Goes to the next mark of the trace or of a finding.
    fn marker(&mut self, forward: bool) {
        let (cursor, end) = (self.cursor(), self.run.end());
        let markers = self.run.trace.markers();
        let findings = self
            .findings
            .found
            .iter()
            .map(|found| (found.at, &found.text));
        let all = || {
            let marked = markers.iter().map(|marker| (marker.at, &marker.text));
            marked.chain(findings.clone())
        };
        // Of a finding and a mark at one moment, the finding says more.
        let found = if forward {
            all()
                .filter(|&(at, _)| at > cursor && at <= end)
                .rev()
                .min_by_key(|&(at, _)| at)
        } else {
            all()
                .filter(|&(at, _)| at < cursor)
                .max_by_key(|&(at, _)| at)
        };
        match found.map(|(at, text)| (at, text.clone())) {
            Some((at, text)) => {
                self.jump(at);
                self.select_ended(at);
                self.say(format!("{at}: {text}"));
            }
            None if forward => self.say("no later marker: they stand at calls, errors and deaths"),
            None => self.say("no earlier marker: they stand at calls, errors and deaths"),
        }
    }

    /// Selects the task that came to a bad end at this moment, if one did.
    fn select_ended(&mut self, at: Time) {
        let trace = &self.run.trace;
        let marked = trace.markers().iter().find(|marker| {
            marker.at == at && matches!(marker.kind, MarkerKind::Error | MarkerKind::Death)
        });
        let lane = marked.and_then(|marker| trace.lane(marker.lane));
        let ended = lane.and_then(|lane| lane.pieces().iter().rfind(|piece| piece.end == at));
        if let Some(task) = ended.map(|piece| piece.task) {
            self.select_task(task);
        }
    }

    fn faster(&mut self) {
        if !self.run.playback.faster() {
            self.say("this is live: it cannot go faster");
        }
    }

    fn go_to_start(&mut self) {
        self.run.playback.rewind();
        self.viewport.reveal(Time::ZERO);
    }

    fn go_to_end(&mut self) {
        let end = self.run.end();
        self.run.playback.go_live(end);
        self.viewport.follow(end);
    }

    // What is seen of the time axis, and what is chosen.

    fn sideways(&mut self, forward: bool) {
        if self.context() == Context::Form {
            self.form(|form| form.turn(forward));
            return;
        }
        if matches!(
            self.overlay,
            Some(Overlay::Help { .. } | Overlay::Definitions { .. } | Overlay::Findings { .. })
        ) {
            self.page(forward);
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

    fn vertical(&mut self, down: bool) {
        if matches!(
            self.overlay,
            Some(Overlay::Help { .. } | Overlay::Definitions { .. } | Overlay::Findings { .. })
        ) {
            self.page(down);
            return;
        }
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

    pub(super) fn select_task(&mut self, task: TaskId) {
        let selection = Selection::task(&self.run.trace, self.large, task, self.cursor());
        self.select(selection);
    }

    fn zoom(&mut self, nearer: bool) {
        let span = self.viewport.span();
        let middle = Time(span.start().0 + span.length().0 / 2);
        let cursor = self.cursor();
        let around = if span.contains(cursor) {
            cursor
        } else {
            middle
        };
        self.viewport.zoom(nearer, around);
    }

    fn fit(&mut self) {
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
    pub(super) fn make_room(&mut self) {
        if self.scene == Scene::Compare {
            let end = self.axis_end();
            self.viewport.show(end);
        }
    }

    fn swap_lanes(&mut self) {
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
    pub(super) fn scroll_to(&mut self, lanes: &Range<usize>) {
        if lanes.len() >= selection::rows(&self.run.trace, self.large) {
            self.say("all lanes are in sight");
            return;
        }
        self.first_lane = lanes.start;
        if self.selection.row.is_some_and(|row| !lanes.contains(&row)) {
            self.selection = Selection::default();
        }
    }

    // What fills the screen, and what lies on top.

    fn view(&mut self, view: View) {
        (self.view, self.scene) = (view, Scene::View);
    }

    fn toggle_scene(&mut self, scene: Scene) {
        self.scene = if self.scene == scene {
            Scene::View
        } else {
            scene
        };
    }

    pub(super) fn compare(&mut self) {
        if self.previous.is_none() {
            let keys = self.keymap.starters();
            self.say(format!(
                "there is no previous run to compare with yet: {keys} makes one"
            ));
            return;
        }
        self.toggle_scene(Scene::Compare);
        self.make_room();
    }

    fn next_panel(&mut self) {
        if self.scene == Scene::Compare {
            self.swapped = !self.swapped;
            return;
        }
        self.panel = self.panel.next();
        if self.panel == Panel::Cpus && self.run.trace.cpus().is_empty() {
            self.panel = self.panel.next();
        }
    }

    fn toggle_mouse(&mut self) -> Effect {
        self.mouse = !self.mouse;
        self.say(if self.mouse {
            "the mouse works here: click, drag, wheel"
        } else {
            "the mouse selects text again, as the terminal does it"
        });
        Effect::Mouse(self.mouse)
    }

    fn toggle_overlay(&mut self, overlay: Overlay) {
        let open = self.overlay.as_ref().map(std::mem::discriminant);
        self.overlay = if open == Some(std::mem::discriminant(&overlay)) {
            None
        } else {
            Some(overlay)
        };
    }

    fn inspect(&mut self) {
        if matches!(self.overlay, Some(Overlay::Inspector)) {
            self.overlay = None;
            return;
        }
        if self.selection.task.is_none() {
            let trace = &self.run.trace;
            let latest = trace.call().and_then(|call| {
                let cursor = self.cursor();
                let started = call.started.until(cursor).last();
                // Where no argument fits its function, tasks fail that never started.
                let known = started.or_else(|| call.finished.until(cursor).last())?;
                let index = known.index;
                let call = call.facts.call;
                Some(TaskId { call, index })
            });
            let Some(task) = latest else {
                self.say("no task has started yet");
                return;
            };
            self.select_task(task);
        }
        self.overlay = Some(Overlay::Inspector);
    }

    fn close(&mut self) {
        match self.overlay.take() {
            Some(Overlay::Find(find)) => self.selection = find.before,
            Some(_) => {}
            None if self.scene != Scene::View => self.scene = Scene::View,
            None if !self.selection.is_empty() => self.selection = Selection::default(),
            None => {
                let quit = self.keymap.of(Action::Quit);
                self.say(format!("{quit} quits"));
            }
        }
    }

    pub(super) fn page(&mut self, down: bool) {
        let (page, last) = match &mut self.overlay {
            Some(Overlay::Help { page } | Overlay::Definitions { page }) => (page, LAST_PAGE),
            // At least one stands on each page.
            Some(Overlay::Findings { page }) => (page, self.findings.found.len()),
            _ => return,
        };
        *page = if down {
            (*page + 1).min(last)
        } else {
            page.saturating_sub(1)
        };
    }

    pub(super) fn form(&mut self, change: impl FnOnce(&mut Form)) {
        if let Some(Overlay::Form(form)) = &mut self.overlay {
            change(form);
        }
    }

    fn next_match(&mut self, forward: bool) {
        if let Some(Overlay::Find(find)) = &mut self.overlay {
            find.turn(forward);
        }
        self.select_found();
    }

    /// Selects what the open search has found; nothing found is what was selected before.
    pub(super) fn select_found(&mut self) {
        let Some(Overlay::Find(find)) = &self.overlay else {
            return;
        };
        let before = find.before;
        match find.found(&self.run.trace) {
            Some(task) => self.select_task(task),
            None => self.selection = before,
        }
    }
}

/// What the panel of the output has its own meaning for.
fn is_of_panel(action: Action) -> bool {
    matches!(
        action,
        Action::Up
            | Action::Down
            | Action::PageUp
            | Action::PageDown
            | Action::ToStart
            | Action::ToEnd
            | Action::ZoomPanel
            | Action::Find
            | Action::PreviousMatch
            | Action::NextMatch
            | Action::KeepMatch
            | Action::Close
    )
}

/// No screen is so small that the help or the definitions have more pages.
const LAST_PAGE: usize = 19;
