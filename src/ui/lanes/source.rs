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
    Cpu(&'a CpuLane, Walk<'a, CpuPiece>),
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
            Self::Cpu(cpu, walk) => {
                let (before, inside) = walk.starting_in(stretch);
                let stride = inside.len().div_ceil(LOOKED_AT).max(1);
                let reaching = cpu.reaching(before, stretch.start());
                let touches = |found: &CpuPiece| found.end > stretch.start();
                let inside = inside.every(stride).filter(touches);
                found.extend(reaching.chain(inside).map(|found| piece(&found)));
                stride > 1
            }
        }
    }
}

impl<'a> Source<'a> {
    pub fn finder(self) -> Finder<'a> {
        match self {
            Self::Worker(lane) => Finder::Worker(lane.walk()),
            Self::Cpu(cpu) => Finder::Cpu(cpu, cpu.walk()),
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

    /// The last piece that touches a stretch.
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
