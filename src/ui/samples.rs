//! Runs and screens for the tests of panels.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::Moment;
use super::axis::Axis;
use super::text::Pen;
use super::theme::Theme;
use crate::event::{Event, Kind, LaneId, RunBegan};
use crate::experiment::{Backend, Experiment, Fault, MainWork, Policy};
use crate::method::Method;
use crate::origin::simulated;
use crate::palette::{Charset, Depth, Look};
use crate::time::{Nanos, Span, Time};
use crate::trace::Trace;
use crate::workload::Costs;

/// A millisecond, as long as a unit of cost in these runs.
pub(super) const UNIT: u64 = 1_000_000;

const COSTS: [u64; 8] = [9, 2, 6, 1, 4, 1, 8, 5];

/// Costs 9 2 6 1 4 1 8 5 on four workers, main working for 8 of its own, with these faults.
pub(super) fn run(method: Method, chunksize: u32, faults: &[Fault]) -> Trace {
    run_of(method, chunksize, faults, |_| {})
}

/// The same, changed.
pub(super) fn run_of(
    method: Method,
    chunksize: u32,
    faults: &[Fault],
    change: impl FnOnce(&mut Experiment),
) -> Trace {
    let mut experiment = experiment(method, chunksize, faults);
    change(&mut experiment);
    let mut trace = Trace::default();
    trace.apply(simulated::run(&experiment));
    trace
}

/// A pool of threads that gives up when one ends.
pub(super) fn on_threads(faults: &[Fault]) -> Trace {
    let mut events = simulated::run(&Experiment {
        policy: Policy::Executor,
        ..experiment(Method::Map, 1, faults)
    });
    for event in &mut events {
        if let Kind::PoolOpened(pool) = &mut event.kind {
            Backend::Threads.name().clone_into(&mut pool.kind);
        }
    }
    let mut trace = Trace::default();
    trace.apply(events);
    trace
}

fn experiment(method: Method, chunksize: u32, faults: &[Fault]) -> Experiment {
    let costs = COSTS.map(|units| Nanos(units * UNIT));
    Experiment {
        method,
        backend: Backend::Simulated,
        workers: 4,
        tasks: costs.len() as u32,
        costs: Costs::List(costs.into()),
        chunksize: Some(chunksize),
        main_work: MainWork::Fixed(Nanos(8 * UNIT)),
        faults: faults.to_vec(),
        ..Experiment::default()
    }
}

/// The same costs in units of 10 ns.
pub(super) fn short(method: Method) -> Trace {
    let costs = COSTS.map(|units| Nanos(units * 10));
    let mut trace = Trace::default();
    trace.apply(simulated::run(&Experiment {
        method,
        backend: Backend::Simulated,
        costs: Costs::List(costs.into()),
        tasks: COSTS.len() as u32,
        ..Experiment::default()
    }));
    trace
}

/// A program that was just started, or a script of the lab with so much work.
pub(super) fn of_python(work: Option<Nanos>) -> Trace {
    let began = RunBegan {
        work,
        ..RunBegan::of_program(String::new(), None)
    };
    let mut program = Trace::default();
    program.apply(vec![Event {
        at: Time::ZERO,
        lane: LaneId(0),
        kind: Kind::RunBegan(Box::new(began)),
    }]);
    program
}

/// The run at so many units, on an axis from 0 to `end` units with two columns for each.
pub(super) fn at(trace: &Trace, cursor: u64, end: u64) -> Moment<'_> {
    Moment {
        trace,
        cursor: Time(cursor * UNIT),
        axis: Axis {
            x: 11,
            width: end as u16 * 2,
            span: Span::new(Time::ZERO, Time(end * UNIT)),
        },
        findings: &[],
    }
}

pub(super) const PLAIN: Look = Look {
    theme: crate::palette::ThemeName::Dark,
    depth: Depth::None,
    charset: Charset::Ascii,
};

/// What is drawn into an area of this size, line by line without the spaces at their ends.
pub(super) fn lines(
    look: Look,
    (width, height): (u16, u16),
    draw: impl FnOnce(Rect, &mut Pen<'_>),
) -> Vec<String> {
    let area = Rect::new(0, 0, width, height);
    let mut buffer = Buffer::empty(area);
    draw(area, &mut Pen::new(&mut buffer, Theme::of(look)));
    area.rows()
        .map(|row| {
            let line: String = row.positions().map(|at| buffer[at].symbol()).collect();
            line.trim_end().to_owned()
        })
        .collect()
}
