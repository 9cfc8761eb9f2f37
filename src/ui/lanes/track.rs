//! Which workers, or which CPU, are a lane, and its names.

use super::source::Source;
use crate::app::{Lanes, selection};
use crate::time::Span;
use crate::trace::{Lane, Piece, Row, Trace};
use crate::ui::Moment;
use crate::ui::text::sanitised;

/// A lane as it is drawn: the workers that were one after another in it, or a CPU.
pub(super) struct Track<'a> {
    /// The workers' place in the trace; a CPU has none.
    pub(super) row: Option<&'a Row>,
    /// It is one of those that the numbers are about.
    pub(super) counts: bool,
    pub(super) name: String,
    pub(super) short: String,
    /// The last worker that had opened at the cursor.
    pub(super) here: Option<&'a Lane>,
    /// What may be in sight: a place may have had thousands of workers.
    pub(super) sources: Vec<Source<'a>>,
    /// The piece that has the lane at the cursor.
    pub(super) now: Option<Piece>,
}

pub(super) fn track<'a>(moment: &Moment<'a>, of: Lanes, index: usize) -> Option<Track<'a>> {
    let (trace, cursor) = (moment.trace, moment.cursor);
    match of {
        Lanes::Workers => {
            let row = selection::row(trace, index)?;
            let here = trace.opened_by(row, cursor).last();
            let lanes_in = |span| {
                let lanes = trace.lanes_in(row, span).iter();
                lanes.filter_map(|&id| trace.lane(id))
            };
            let pool = trace.call().map(|call| call.facts.pool);
            Some(Track {
                row: Some(row),
                counts: !trace.is_program() || pool == Some(row.pool),
                name: name(trace, row),
                short: short(trace, row, index),
                here: here.and_then(|&id| trace.lane(id)),
                sources: lanes_in(moment.axis.span).map(Source::Worker).collect(),
                now: lanes_in(Span::new(cursor, cursor)).find_map(|lane| lane.piece_at(cursor)),
            })
        }
        Lanes::Cpus => {
            let cpu = trace.cpus().get(index);
            // A simulated run takes the first CPUs first.
            let number = cpu.map_or(index as u32, |cpu| cpu.cpu.0.into());
            Some(Track {
                row: None,
                counts: true,
                name: format!("cpu {number}"),
                short: number.to_string(),
                here: None,
                sources: cpu.map(Source::Cpu).into_iter().collect(),
                now: cpu.and_then(|cpu| Source::Cpu(cpu).piece_at(cursor)),
            })
        }
    }
}

/// The name of a worker; of one of several pools, with the number of its pool.
fn name(trace: &Trace, row: &Row) -> String {
    let name = sanitised(&row.name);
    match one_of_several(trace, row) {
        Some(number) => format!("{number}: {}", name.replace("worker ", "w")),
        // In a loop main runs the tasks itself: under what it is blocked in and what it receives.
        None if is_main(trace, row) => "runs".to_owned(),
        None => name,
    }
}

/// The same in as few letters as two of them in a row have room for: `3`, `2:0`.
fn short(trace: &Trace, row: &Row, index: usize) -> String {
    match one_of_several(trace, row) {
        Some(number) => format!("{number}:{}", sanitised(&row.name).replace("worker ", "")),
        None => index.to_string(),
    }
}

/// The number of the pool of a program's worker, from 1 on, where there are others.
fn one_of_several(trace: &Trace, row: &Row) -> Option<usize> {
    let several = trace.is_program() && trace.pools().len() > 1;
    row.pool
        .filter(|_| several)
        .and_then(|pool| trace.pool_number(pool))
}

/// The tasks of a loop in the lab: no worker has them.
pub(super) fn is_main(trace: &Trace, row: &Row) -> bool {
    !trace.is_program() && row.name == "main"
}
