//! Where the pieces of a lane come from: a worker, or a CPU.

use super::columns::Level;
use crate::time::{Nanos, Span, Time};
use crate::trace::{CpuLane, CpuPiece, Lane, Piece, Walk};

/// Pieces of one stretch that are looked at one by one. Where there are more, the sums stay exact and
/// only the colour goes by a sample.
pub const LOOKED_AT: usize = 24;

/// One worker or one CPU.
#[derive(Clone, Copy)]
pub enum Source<'a> {
    Worker(&'a Lane),
    Cpu(&'a CpuLane),
}

/// Finds the pieces of one stretch after another.
pub enum Finder<'a> {
    Worker(Walk<'a, Piece>),
    Cpu(OnCpu<'a>),
}

/// Goes along the pieces of a CPU, which may overlap. Who sleeps is on none.
pub struct OnCpu<'a> {
    cpu: &'a CpuLane,
    walk: Walk<'a, CpuPiece>,
    /// Of the first so many pieces those that had not ended by the last stretch's begin.
    open: Vec<CpuPiece>,
    seen: usize,
}

impl Finder<'_> {
    /// Adds the pieces that touch a stretch, by start; true if they are only a sample of those that do.
    pub fn find(&mut self, stretch: Span, found: &mut Vec<Piece>) -> bool {
        match self {
            Self::Worker(walk) => {
                let pieces = walk.pieces_in(stretch);
                let stride = pieces.len().div_ceil(LOOKED_AT).max(1);
                match pieces.as_slice() {
                    Some(pieces) if stride == 1 => found.extend_from_slice(pieces),
                    _ => found.extend(pieces.every(stride)),
                }
                stride > 1
            }
            Self::Cpu(pieces) => pieces.find(stretch, found),
        }
    }
}

impl OnCpu<'_> {
    fn find(&mut self, stretch: Span, found: &mut Vec<Piece>) -> bool {
        let (before, inside) = self.walk.starting_in(stretch);
        let touches = |found: &CpuPiece| found.end > stretch.start();
        if self.seen == before {
            self.open.retain(touches);
        } else {
            self.open = self.cpu.reaching(before, stretch.start()).collect();
            self.seen = before;
        }
        found.extend(self.open.iter().filter(|found| found.had_cpu()).map(piece));
        let stride = inside.len().div_ceil(LOOKED_AT).max(1);
        for new in inside.every(stride).filter(touches) {
            if new.had_cpu() {
                found.push(piece(&new));
            }
            self.open.push(new);
        }
        if stride == 1 {
            self.seen += inside.len();
        }
        stride > 1
    }
}

impl<'a> Source<'a> {
    pub fn finder(self) -> Finder<'a> {
        match self {
            Self::Worker(lane) => Finder::Worker(lane.walk()),
            Self::Cpu(cpu) => Finder::Cpu(OnCpu {
                cpu,
                walk: cpu.walk(),
                open: Vec::new(),
                seen: 0,
            }),
        }
    }

    /// Nothing of it is before the one moment, nor at the other or after it.
    pub fn reach(self) -> (Time, Time) {
        match self {
            Self::Worker(lane) => {
                let last = lane.pieces().last();
                (lane.opened, last.map_or(Time::ZERO, |last| last.end))
            }
            Self::Cpu(_) => (Time::ZERO, Time::NEVER),
        }
    }

    /// The piece that runs at this moment.
    pub fn piece_at(self, time: Time) -> Option<Piece> {
        match self {
            Self::Worker(lane) => lane.piece_at(time),
            Self::Cpu(cpu) => {
                let moment = Span::new(time, time + Nanos(1));
                cpu.last_in(moment).map(|found| piece(&found))
            }
        }
    }

    /// The last piece that touches a stretch, of a CPU one that had it.
    pub fn last_in(self, stretch: Span) -> Option<Piece> {
        match self {
            Self::Worker(lane) => lane.pieces_in(stretch).last(),
            Self::Cpu(cpu) => cpu.last_in(stretch).map(|found| piece(&found)),
        }
    }

    /// The exact shares of a column, of which `now` is the part that has happened.
    pub fn level(self, now: Span, column: Span) -> Level {
        let whole = column.length().seconds().max(1e-9);
        let share = |time: Nanos| time.seconds() / whole;
        match self {
            Self::Worker(lane) => {
                let (begin, end) = (lane.sums_until(now.start()), lane.sums_until(now.end()));
                let busy = end.busy.saturating_sub(begin.busy);
                let waiting = end.waiting.saturating_sub(begin.waiting);
                let quiet = (end.useful_wait + end.blocked)
                    .saturating_sub(begin.useful_wait + begin.blocked);
                Level {
                    held: share(busy),
                    solid: share(busy.saturating_sub(waiting + quiet)),
                    pale: share(quiet),
                }
            }
            Self::Cpu(cpu) => {
                let (begin, end) = (cpu.held_until(now.start()), cpu.held_until(now.end()));
                Level {
                    held: share(end.length.saturating_sub(begin.length)),
                    solid: share(end.part.saturating_sub(begin.part)),
                    pale: 0.0,
                }
            }
        }
    }
}

/// On a CPU's lane, what was not on it stands as waiting.
fn piece(found: &CpuPiece) -> Piece {
    Piece {
        start: found.start,
        end: found.end,
        task: found.task,
        on_cpu: found.on_cpu,
        waiting: found.end.since(found.start).saturating_sub(found.on_cpu),
        useful_wait: Nanos::ZERO,
        known: true,
        cpu: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{CallBegan, CallId, CpuId, Event, Kind, LaneId, Ran, TaskId};
    use crate::trace::Trace;

    /// Tasks of several workers on one CPU: most of them short, one as long as all others, many at once.
    fn trace() -> Trace {
        let call = CallBegan {
            call: CallId(0),
            pool: None,
            method: "map".into(),
            function: "f".into(),
            source: None,
            tasks: Some(400),
            chunksize: Some(1),
        };
        let mut kinds = vec![(0, LaneId(0), Kind::CallBegan(Box::new(call)))];
        for k in 0..400_u64 {
            let crowded = (200..260).contains(&k);
            let start = if crowded {
                2_000 + k % 3
            } else {
                k * 10 + k * 7 % 13
            };
            let length = if k == 70 { 3_000 } else { k * 11 % 29 };
            // Now and then one sleeps.
            let on_cpu = if k % 9 == 4 { 0 } else { length / 2 };
            let task = TaskId {
                call: CallId(0),
                index: k as u32,
            };
            let (cpu, lane) = (Some(CpuId(0)), LaneId(1 + k as u32));
            kinds.push((start, lane, Kind::Started { task, cpu }));
            let ran = Ran {
                task,
                since: Time(start),
                on_cpu: Nanos(on_cpu),
                waiting: Nanos(length / 2),
                useful_wait: Nanos::ZERO,
                cpu,
                moved_to: None,
            };
            kinds.push((start + length, lane, Kind::Ran(Box::new(ran))));
        }
        kinds.sort_by_key(|&(at, ..)| at);
        let events = kinds.into_iter().map(|(at, lane, kind)| Event {
            at: Time(at),
            lane,
            kind,
        });
        let mut trace = Trace::default();
        trace.apply(events.collect());
        trace
    }

    #[test]
    fn along_a_cpu_the_same_pieces_are_found_as_in_each_stretch_alone() {
        let trace = trace();
        let cpu = &trace.cpus()[0];
        for (width, from) in [(1, 0), (7, 0), (7, 1_900), (50, 500), (400, 0)] {
            let mut finder = Source::Cpu(cpu).finder();
            for start in (from..5_000).step_by(width) {
                let stretch = Span::new(Time(start), Time(start + width as u64));
                let mut found = Vec::new();
                let sampled = finder.find(stretch, &mut found);
                let all: Vec<Piece> = cpu
                    .pieces_in(stretch)
                    .filter(CpuPiece::had_cpu)
                    .map(|found| piece(&found))
                    .collect();
                if sampled {
                    assert!(all.len() > LOOKED_AT && found.iter().all(|one| all.contains(one)));
                } else {
                    assert_eq!(found, all, "{stretch:?}");
                }
            }
        }
    }
}
