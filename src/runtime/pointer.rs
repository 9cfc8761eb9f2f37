//! The mouse, said in terms of what lies under it: only the layout of the screen knows that.

use crate::app::{App, Hit, Message};
use crate::ui;
use crossterm::event::{MouseButton, MouseEvent, MouseEventKind};
use ratatui::layout::Rect;

#[derive(Debug, Default)]
pub(super) struct Pointer {
    pressed: Option<Press>,
}

/// The button is down.
#[derive(Debug)]
struct Press {
    hit: Hit,
    /// Where it went down.
    at: (u16, u16),
    /// The column where it holds the axis of time now.
    holds: u16,
    /// It has left the cell where it went down: this is no click any more.
    dragged: bool,
}

impl Pointer {
    /// What the mouse did, if that is anything to the app. A click is one once the button is let go where
    /// it went down.
    pub(super) fn message(&mut self, app: &App, mouse: MouseEvent) -> Option<Message> {
        let (x, y) = (mouse.column, mouse.row);
        match mouse.kind {
            MouseEventKind::Down(MouseButton::Left) => {
                self.pressed = ui::hit(app, x, y).map(|hit| Press {
                    hit,
                    at: (x, y),
                    holds: x,
                    dragged: false,
                });
                None
            }
            MouseEventKind::Drag(MouseButton::Left) => {
                let press = self.pressed.as_mut()?;
                press.dragged |= press.at != (x, y);
                let before = std::mem::replace(&mut press.holds, x);
                let axis = (is_timed(press.hit) && before != x).then(|| axis(app))?;
                Some(Message::Drag {
                    from: axis.time(before),
                    to: axis.time(x),
                })
            }
            MouseEventKind::Up(MouseButton::Left) => {
                let press = self.pressed.take()?;
                (!press.dragged).then_some(Message::Click(press.hit))
            }
            MouseEventKind::ScrollUp | MouseEventKind::ScrollDown => {
                ui::hit(app, x, y).filter(|&hit| is_timed(hit))?;
                Some(Message::Wheel {
                    at: axis(app).time(x),
                    nearer: mouse.kind == MouseEventKind::ScrollUp,
                })
            }
            _ => None,
        }
    }
}

fn is_timed(hit: Hit) -> bool {
    matches!(hit, Hit::Lane { .. } | Hit::Axis { .. })
}

fn axis(app: &App) -> ui::axis::Axis {
    let screen = Rect::new(0, 0, app.size.0, app.size.1);
    ui::timeline::moment(app, screen).axis
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::Settings;
    use crate::experiment::Experiment;
    use crossterm::event::KeyModifiers;

    /// A column and a row among the lanes, and a column on the same row.
    fn app() -> (App, (u16, u16)) {
        let app = App::new(Experiment::default(), Settings::default());
        let (columns, rows) = app.size;
        let x = columns / 2;
        let y = (0..rows).find(|&y| ui::hit(&app, x, y).is_some_and(is_timed));
        (app, (x, y.unwrap()))
    }

    fn mouse(kind: MouseEventKind, column: u16, row: u16) -> MouseEvent {
        MouseEvent {
            kind,
            column,
            row,
            modifiers: KeyModifiers::NONE,
        }
    }

    #[test]
    fn a_drag_goes_from_where_the_pointer_was_to_where_it_is() {
        let (app, (x, y)) = app();
        let mut pointer = Pointer::default();
        let left = MouseButton::Left;
        pointer.message(&app, mouse(MouseEventKind::Down(left), x, y));
        for (from, to) in [(x, x + 3), (x + 3, x + 1)] {
            let message = pointer.message(&app, mouse(MouseEventKind::Drag(left), to, y));
            let Some(Message::Drag { from: was, to: is }) = message else {
                panic!("{message:?}");
            };
            assert_eq!((was, is), (axis(&app).time(from), axis(&app).time(to)));
        }
        pointer.message(&app, mouse(MouseEventKind::Up(left), x, y));
        let after = pointer.message(&app, mouse(MouseEventKind::Drag(left), x, y));
        assert!(after.is_none());
    }

    #[test]
    fn a_click_ends_where_it_began_and_a_drag_is_none() {
        let (app, (x, y)) = app();
        let mut pointer = Pointer::default();
        let left = MouseButton::Left;
        let mut go = |kind, x| pointer.message(&app, mouse(kind, x, y));
        let is_click = |message| matches!(message, Some(Message::Click(_)));
        assert!(go(MouseEventKind::Down(left), x).is_none());
        assert!(go(MouseEventKind::Drag(left), x).is_none());
        assert!(is_click(go(MouseEventKind::Up(left), x)));
        for _ in 0..2 {
            assert!(go(MouseEventKind::Down(left), x).is_none());
            let dragged = go(MouseEventKind::Drag(left), x + 3);
            assert!(matches!(dragged, Some(Message::Drag { .. })));
            go(MouseEventKind::Drag(left), x);
            assert!(go(MouseEventKind::Up(left), x).is_none());
        }
    }

    #[test]
    fn the_wheel_turns_over_a_moment_or_not_at_all() {
        let (app, (x, y)) = app();
        let mut pointer = Pointer::default();
        let up = pointer.message(&app, mouse(MouseEventKind::ScrollUp, x, y));
        assert!(matches!(up, Some(Message::Wheel { nearer: true, .. })));
        let outside = pointer.message(&app, mouse(MouseEventKind::ScrollUp, x, app.size.1));
        assert!(outside.is_none());
    }
}
