//! The mouse, said in terms of what lies under it: only the layout of the screen knows that.

use crate::app::{App, Hit, Message};
use crate::ui;
use crossterm::event::{MouseButton, MouseEvent, MouseEventKind};
use ratatui::layout::Rect;

#[derive(Debug, Default)]
pub(super) struct Pointer {
    /// The column where it holds the axis of time, while the button is down.
    holds: Option<u16>,
}

impl Pointer {
    /// What the mouse did, if that is anything to the app.
    pub(super) fn message(&mut self, app: &App, mouse: MouseEvent) -> Option<Message> {
        let (x, y) = (mouse.column, mouse.row);
        match mouse.kind {
            MouseEventKind::Down(MouseButton::Left) => {
                let hit = ui::hit(app, x, y)?;
                self.holds = is_timed(hit).then_some(x);
                Some(Message::Click(hit))
            }
            MouseEventKind::Drag(MouseButton::Left) => {
                let before = self.holds.replace(x)?;
                let axis = axis(app);
                Some(Message::Drag {
                    from: axis.time(before),
                    to: axis.time(x),
                })
            }
            MouseEventKind::Up(MouseButton::Left) => {
                self.holds = None;
                None
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
    fn the_wheel_turns_over_a_moment_or_not_at_all() {
        let (app, (x, y)) = app();
        let mut pointer = Pointer::default();
        let up = pointer.message(&app, mouse(MouseEventKind::ScrollUp, x, y));
        assert!(matches!(up, Some(Message::Wheel { nearer: true, .. })));
        let outside = pointer.message(&app, mouse(MouseEventKind::ScrollUp, x, app.size.1));
        assert!(outside.is_none());
    }
}
