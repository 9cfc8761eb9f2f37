//! What fills the screen, and what lies on top.

use crate::app::action::Action;
use crate::app::form::Form;
use crate::app::selection::Selection;
use crate::app::{App, Effect, Overlay, Panel, Scene, View};
use crate::event::TaskId;

impl App {
    pub(super) fn view(&mut self, view: View) {
        (self.view, self.scene) = (view, Scene::View);
    }

    pub(super) fn toggle_scene(&mut self, scene: Scene) {
        self.scene = if self.scene == scene {
            Scene::View
        } else {
            scene
        };
    }

    pub(in crate::app) fn compare(&mut self) {
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

    /// Panels are those of the timeline: the other views have the screen for themselves.
    pub(super) fn zoom_panel(&mut self) {
        if self.scene == Scene::View && self.view != View::Timeline {
            let timeline = self.keymap.of(Action::Timeline);
            self.say(format!(
                "this view has the screen already: {timeline} shows the panels"
            ));
            return;
        }
        self.toggle_scene(Scene::Panel);
    }

    pub(super) fn next_panel(&mut self) {
        if self.scene == Scene::Compare {
            self.swapped = !self.swapped;
            return;
        }
        self.panel = self.panel.next();
        if self.panel == Panel::Cpus && self.run.trace.cpus().is_empty() {
            self.panel = self.panel.next();
        }
    }

    pub(super) fn toggle_mouse(&mut self) -> Effect {
        self.mouse = !self.mouse;
        self.say(if self.mouse {
            "the mouse works here: click, click again to inspect, drag, wheel"
        } else {
            "the mouse selects text again, as the terminal does it"
        });
        Effect::Mouse(self.mouse)
    }

    pub(super) fn toggle_overlay(&mut self, overlay: Overlay) {
        let open = self.overlay.as_ref().map(std::mem::discriminant);
        self.overlay = if open == Some(std::mem::discriminant(&overlay)) {
            None
        } else {
            Some(overlay)
        };
    }

    pub(super) fn inspect(&mut self) {
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
                let has_pool = self.run.program().is_none() || trace.call().is_some();
                self.say(if has_pool {
                    "no task has started yet"
                } else {
                    "no pool has been called: there is no task to inspect"
                });
                return;
            };
            self.select_task(task);
        }
        self.overlay = Some(Overlay::Inspector);
    }

    pub(super) fn close(&mut self) {
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

    /// The page of what lies on top, if it has pages.
    fn page(&mut self) -> Option<&mut usize> {
        match &mut self.overlay {
            Some(
                Overlay::Help { page } | Overlay::Definitions { page } | Overlay::Findings { page },
            ) => Some(page),
            _ => None,
        }
    }

    pub(super) fn has_pages(&mut self) -> bool {
        self.page().is_some()
    }

    pub(in crate::app) fn turn_page(&mut self, down: bool) -> Option<Effect> {
        self.has_pages().then_some(Effect::TurnPage { down })
    }

    pub(in crate::app) fn turned_to(&mut self, turned: usize) {
        if let Some(page) = self.page() {
            *page = turned;
        }
    }

    pub(in crate::app) fn form(&mut self, change: impl FnOnce(&mut Form)) {
        if let Some(Overlay::Form(form)) = &mut self.overlay {
            change(form);
        }
    }

    pub(super) fn next_match(&mut self, forward: bool) {
        let cursor = self.cursor();
        if let Some(Overlay::Find(find)) = &mut self.overlay {
            find.turn(forward, &self.run.trace, cursor);
        }
        self.select_found();
    }

    /// Selects what the open search has found; nothing found is what was selected before.
    pub(in crate::app) fn select_found(&mut self) {
        let Some(Overlay::Find(find)) = &self.overlay else {
            return;
        };
        let before = find.before;
        match find.found() {
            Some(task) => self.select_task(task),
            None => self.selection = before,
        }
    }
}
