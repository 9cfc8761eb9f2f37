//! On the lane of a CPU: tasks that went on to another one.

use ratatui::style::Modifier;

use super::boxes::Place;
use super::columns::Column;
use super::source::LOOKED_AT;
use crate::event::CpuId;
use crate::trace::CpuLane;
use crate::ui::Moment;
use crate::ui::hues::{self, Hues};
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
    let shown = moment.shown();
    let left: Vec<Option<(u32, CpuId)>> = columns
        .iter()
        .zip(place.x..)
        .map(|(column, x)| {
            let task = column.whole()?;
            let stretch = moment.axis.stretch(x);
            let mut pieces = cpu.pieces_in(stretch).take(LOOKED_AT);
            let piece = pieces.find(|piece| {
                hues::number(piece.task, shown) == task && piece.moved_to.is_some()
            })?;
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

#[cfg(test)]
mod tests {
    use crate::app::Lanes;
    use crate::app::selection::Selection;
    use crate::event::{
        CallBegan, CallId, CpuId, Event, Indexes, Kind, LaneId, LaneKind, LaneOpened, Ran, TaskId,
    };
    use crate::time::{Nanos, Time};
    use crate::trace::Trace;
    use crate::ui::lanes::{self, Grid};
    use crate::ui::samples::{self, PLAIN, UNIT, lines};

    #[test]
    fn a_task_that_went_on_elsewhere_is_hatched_where_it_was() {
        let (call, task) = (
            CallId(0),
            TaskId {
                call: CallId(0),
                index: 0,
            },
        );
        let kinds = [
            (
                0,
                Kind::LaneOpened(Box::new(LaneOpened {
                    kind: LaneKind::Worker,
                    pool: None,
                    name: "worker 0".into(),
                    pid: None,
                    tid: None,
                })),
            ),
            (
                0,
                Kind::CallBegan(Box::new(CallBegan {
                    call,
                    pool: None,
                    method: "map".into(),
                    function: "f".into(),
                    source: None,
                    tasks: Some(1),
                    chunksize: Some(1),
                })),
            ),
            (
                0,
                Kind::Submitted {
                    call,
                    tasks: Indexes::one(0),
                },
            ),
            (
                0,
                Kind::Started {
                    task,
                    cpu: Some(CpuId(0)),
                },
            ),
            (
                4,
                Kind::Ran(Box::new(Ran {
                    task,
                    since: Time::ZERO,
                    on_cpu: Nanos(4 * UNIT),
                    waiting: Nanos::ZERO,
                    useful_wait: Nanos::ZERO,
                    cpu: Some(CpuId(0)),
                    moved_to: Some(CpuId(1)),
                })),
            ),
        ];
        let events = kinds.map(|(at, kind)| Event {
            at: Time(at * UNIT),
            lane: LaneId(1),
            kind,
        });
        let mut trace = Trace::default();
        trace.apply(events.into());
        let moment = samples::at(&trace, 6, 6);
        let grid = Grid {
            of: Lanes::Cpus,
            rows: 1,
            first: 0,
        };
        let drawn = lines(PLAIN, (36, 1), |area, pen| {
            lanes::render(&moment, grid, Selection::default(), area, pen);
        });
        assert_eq!(drawn, [" cpu 0     0~~~~->1     none  100 %"]);
    }
}
