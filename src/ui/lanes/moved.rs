//! On the lane of a CPU: tasks that went on to another one.

use ratatui::style::Modifier;

use super::boxes::Place;
use super::columns::Column;
use super::source::LOOKED_AT;
use crate::event::CpuId;
use crate::trace::CpuLane;
use crate::ui::Moment;
use crate::ui::hues::Hues;
use crate::ui::text::{Pen, width};

/// Hatches the columns of tasks that left this CPU, and says where they went.
pub fn render(
    moment: &Moment<'_>,
    cpu: &CpuLane,
    columns: &[Column],
    place: Place,
    pen: &mut Pen<'_>,
) {
    let theme = pen.theme;
    let hues = Hues::new(theme, moment.trace);
    let left: Vec<Option<(u32, CpuId)>> = columns
        .iter()
        .zip(place.x..)
        .map(|(column, x)| {
            let task = column.whole()?;
            let stretch = moment.axis.stretch(x);
            let mut pieces = cpu.pieces_in(stretch).take(LOOKED_AT);
            let piece =
                pieces.find(|piece| piece.task.index == task && piece.moved_to.is_some())?;
            Some((task, piece.moved_to?))
        })
        .collect();
    let (mut x, y) = (place.x, place.bottom());
    for run in left.chunk_by(PartialEq::eq) {
        let columns = run.len() as u16;
        if let Some(Some((task, to))) = run.first() {
            for x in x..x + columns {
                let ink = hues.task(*task);
                pen.cell(x, y, theme.glyphs.migrated, ink, theme.background);
            }
            let note = format!("{}{}", theme.glyphs.arrow, to.0);
            if width(&note) + 1 < columns {
                let start = x + columns - width(&note);
                pen.text(start, y, &note, theme.text);
                pen.add(start, y, Modifier::BOLD);
            }
        }
        x += columns;
    }
}
