//! What each action does to the state.

mod cursor;
mod scenes;
mod sight;

use crate::app::action::Action;
use crate::app::find::Find;
use crate::app::{App, Effect, Overlay, Scene, View};
use std::ops::ControlFlow;

impl App {
    pub(super) fn act(&mut self, action: Action) -> Option<Effect> {
        if matches!(self.overlay, Some(Overlay::Output(_)))
            && let ControlFlow::Break(effect) = self.act_in_output(action)
        {
            return effect;
        }
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
            Action::Output | Action::Interrupt | Action::Terminate | Action::LeaveRunning => {
                return self.act_on_program(action);
            }
            Action::PageDown => return self.turn_page(true),
            Action::PageUp => return self.turn_page(false),
            Action::Right | Action::Down if self.has_pages() => return self.turn_page(true),
            Action::Left | Action::Up if self.has_pages() => return self.turn_page(false),
            Action::LanesUp => return Some(Effect::Scroll { down: false }),
            Action::LanesDown => return Some(Effect::Scroll { down: true }),
            Action::Mouse => return Some(self.toggle_mouse()),
            Action::Quit => return self.quit(),
            Action::Suspend => {
                // The clock goes on meanwhile, the picture does not.
                self.ticked = None;
                return Some(Effect::Suspend);
            }
            _ => self.act_alone(action),
        }
        None
    }

    /// What the actions do that change nothing but the state.
    fn act_alone(&mut self, action: Action) {
        match action {
            Action::PreviousCall => self.step_call(false),
            Action::NextCall => self.step_call(true),
            Action::Pause => self.pause(),
            Action::StepForward => self.step(true),
            Action::StepBack => self.step(false),
            Action::PreviousMarker => self.marker(false),
            Action::NextMarker => self.marker(true),
            Action::Slower => self.run.playback.slower(self.run.over),
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
            Action::Timeline => self.view(View::Timeline),
            Action::Order => self.view(View::Order),
            Action::Numbers => self.view(View::Numbers),
            Action::NextPanel => self.next_panel(),
            Action::ZoomPanel => self.zoom_panel(),
            Action::Presenter => self.toggle_scene(Scene::Presenter),
            Action::Theme => {
                self.look.theme = self.look.theme.next();
                self.theme_named = true;
            }
            Action::Findings => self.toggle_overlay(Overlay::Findings { page: 0 }),
            Action::Inspect => self.inspect(),
            Action::Find => self.overlay = Some(Overlay::Find(Box::new(Find::new(self.selection)))),
            Action::Definitions => self.toggle_overlay(Overlay::Definitions { page: 0 }),
            Action::Help => self.toggle_overlay(Overlay::Help { page: 0 }),
            Action::Close => self.close(),
            Action::NextField => self.form(|form| form.move_focus(true)),
            Action::PreviousField => self.form(|form| form.move_focus(false)),
            Action::NextMatch => self.next_match(true),
            Action::PreviousMatch => self.next_match(false),
            Action::KeepMatch => self.overlay = None,
            _ => {}
        }
    }

    /// What the keys that scroll and search do to the output; it has no meaning of its own for others.
    fn act_in_output(&mut self, action: Action) -> ControlFlow<Option<Effect>> {
        ControlFlow::Break(match action {
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
            Action::Close => self.end_search(false),
            _ => return ControlFlow::Continue(()),
        })
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
}
