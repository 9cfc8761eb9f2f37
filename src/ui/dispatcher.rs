//! What sends chunks to the workers, where that costs something: how much of the time it is at it.

use ratatui::layout::Rect;

use super::Moment;
use super::lanes::GUTTER;
use super::text::Pen;
use crate::time::{Nanos, Span};
use crate::trace::Lane;

/// Draws the dispatcher's lane into the row of the area; nothing where there is none.
pub fn render(moment: &Moment<'_>, area: Rect, pen: &mut Pen<'_>) {
    let Some(lane) = moment.trace.dispatcher().filter(|_| area.height > 0) else {
        return;
    };
    let (theme, axis) = (pen.theme, moment.axis);
    pen.text_within(area.x + 1, area.y, GUTTER - 2, "dispatch", theme.dim);
    for x in axis.x..axis.right() {
        let column = axis.stretch(x);
        if column.start() >= moment.cursor {
            break;
        }
        let now = Span::new(column.start(), column.end().min(moment.cursor));
        let share = busy(lane, now) / column.length().seconds().max(1e-9);
        if share > 0.0 {
            let eighths = ((share * 8.0).round() as usize).clamp(1, 8);
            let bar = theme.glyphs.bars[eighths];
            pen.cell(x, area.y, bar, theme.dim, theme.background);
        }
    }
    let sends = busy(lane, Span::new(moment.cursor, moment.cursor + Nanos(1))) > 0.0;
    let word = if sends { "sends" } else { "idle" };
    pen.text(axis.right() + 1, area.y, word, theme.dim);
}

/// Seconds of a stretch in which the lane did something.
fn busy(lane: &Lane, stretch: Span) -> f64 {
    let before = lane.others_until(stretch.start());
    let busy = lane.others_until(stretch.end()).saturating_sub(before);
    busy.seconds()
}
