//! What keys, pastes and the pointer mean where they arrive.

use crate::app::action::Action;
use crate::app::key::Key;
use crate::app::keymap::Context;
use crate::app::selection::{self, Selection};
use crate::app::{App, Effect, Hit, Overlay};
use crate::event::TaskId;
use crate::time::Time;
use crossterm::event::{Event as Input, KeyCode, KeyEvent, KeyModifiers};

impl App {
    pub(super) fn input(&mut self, input: &Input) -> Option<Effect> {
        match input {
            Input::Key(event) => {
                let key = Key::pressed(event)?;
                if event.modifiers.contains(KeyModifiers::ALT) && !self.is_bound(key) {
                    return self.escaped(event);
                }
                self.notice = None;
                if let Some(change) = &mut self.change {
                    change.is_news = false;
                }
                self.changed();
                match self.meaning(key) {
                    Some(action) => self.act(action),
                    None => self.typed(key, event),
                }
            }
            Input::Paste(text) => {
                self.changed();
                self.pasted(text)
            }
            Input::Resize(columns, rows) => {
                self.size = (*columns, *rows);
                self.changed();
                self.in_output(|panel, lines, rows| panel.scroll(0, lines, rows))
            }
            _ => None,
        }
    }

    /// Esc and a key right behind it arrive as that key with Alt: a terminal cannot tell them apart.
    fn escaped(&mut self, event: &KeyEvent) -> Option<Effect> {
        let escape = KeyEvent::new(KeyCode::Esc, KeyModifiers::NONE);
        let first = self.input(&Input::Key(escape));
        let plain = KeyEvent {
            modifiers: event.modifiers - KeyModifiers::ALT,
            ..*event
        };
        self.input(&Input::Key(plain)).or(first)
    }

    fn is_bound(&self, key: Key) -> bool {
        let contexts = [self.context(), self.below()];
        contexts
            .into_iter()
            .any(|context| self.keymap.action(key, context).is_some())
    }

    /// What a key means here. What the overlays of the main screen have no key for goes to the screen
    /// below; the help gives way to what it explained.
    fn meaning(&mut self, key: Key) -> Option<Action> {
        let context = self.context();
        let here = self.keymap.action(key, context);
        if here.is_some() || !matches!(context, Context::Overlay | Context::Output) {
            return here;
        }
        let below = self.keymap.action(key, self.below())?;
        let pages = matches!(
            below,
            Action::Help | Action::Left | Action::Right | Action::Up | Action::Down
        );
        if matches!(self.overlay, Some(Overlay::Help { .. })) && !pages {
            self.overlay = None;
        }
        Some(below)
    }

    /// A key without a meaning here: a letter of what is being typed, if something is.
    fn typed(&mut self, key: Key, event: &KeyEvent) -> Option<Effect> {
        let cursor = self.cursor();
        match &mut self.overlay {
            Some(Overlay::Form(form)) => form.type_key(event),
            Some(Overlay::Find(find)) => {
                find.type_key(event, &self.run.trace, cursor);
                self.select_found();
            }
            Some(Overlay::Output(panel)) => return panel.type_key(event).map(Effect::LookUp),
            Some(Overlay::Leave) => {}
            _ => {
                if let Some(place) = self.keymap.elsewhere(key, self.below()) {
                    self.say(place);
                }
            }
        }
        None
    }

    fn pasted(&mut self, text: &str) -> Option<Effect> {
        let cursor = self.cursor();
        match &mut self.overlay {
            Some(Overlay::Form(form)) => form.paste(text),
            Some(Overlay::Find(find)) => {
                find.paste(text, &self.run.trace, cursor);
                self.select_found();
            }
            Some(Overlay::Output(panel)) => return panel.paste(text).map(Effect::LookUp),
            _ => {}
        }
        None
    }

    pub(super) fn click(&mut self, hit: Hit) -> Option<Effect> {
        self.notice = None;
        let before = self.selection;
        match hit {
            Hit::Key(action) => return self.act(action),
            Hit::Field(field) => self.form(|form| form.go_to(field)),
            _ if matches!(self.overlay, Some(Overlay::Form(_) | Overlay::Find(_))) => {}
            Hit::Panel(panel) => self.panel = panel,
            Hit::Axis { at } => self.jump(at),
            Hit::Task { index } => {
                let call = self.run.trace.call().map(|call| call.facts.call);
                if let Some(call) = call {
                    self.select_task(TaskId { call, index });
                }
            }
            Hit::Lane { row, at } if row < selection::rows(&self.run.trace, self.large) => {
                let at = at.min(self.cursor());
                self.selection = Selection::lane(&self.run.trace, self.large, row, at);
            }
            Hit::Lane { .. } => {}
        }
        let again = before.task.is_some() && before == self.selection;
        if again && matches!(hit, Hit::Lane { .. } | Hit::Task { .. }) {
            self.overlay = Some(Overlay::Inspector);
        }
        None
    }

    pub(super) fn wheel(&mut self, at: Time, nearer: bool) -> Option<Effect> {
        let turned = self.turn_page(!nearer);
        if turned.is_none() {
            self.viewport.zoom(nearer, at);
        }
        turned
    }
}
