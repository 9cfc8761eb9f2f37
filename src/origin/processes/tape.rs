//! How an event is written on the tape of a worker: four words, or a few times four.
//!
//! What is read here comes from another process. Whatever makes no sense is left out.

use super::book::{PLACE, Place};
use crate::event::{
    CallId, Category, CpuId, Ended, Kind, NamedSpan, Outcome, RESIDENT, Raised, Ran, Sample,
    TaskId, Way,
};
use crate::time::{Nanos, Time};

/// Longer texts are cut.
const MOST_TEXT: usize = 512;
const NO_CPU: u64 = 0xffff;

// Kinds, in the lowest eight bits of the second word.
const DEQUEUED: u64 = 1;
const STARTED: u64 = 2;
const FINISHED: u64 = 3;
const RAN: u64 = 4;
const SPAN: u64 = 5;
const RAISED: u64 = 6;
const MEMORY: u64 = 7;
const CARRIED: u64 = 8;
const CLOSED: u64 = 9;

/// The names of spans that a worker tells.
const SPANS: [&str; 3] = ["start-up", "deserialise", "serialise"];

fn cpu_word(cpu: Option<CpuId>, shift: u32) -> u64 {
    cpu.map_or(NO_CPU, |cpu| u64::from(cpu.0)) << shift
}

fn cpu_of(word: u64, shift: u32) -> Option<CpuId> {
    let number = word >> shift & 0xffff;
    (number != NO_CPU).then_some(CpuId(number as u16))
}

/// The places of an event; nothing of one that a worker never tells.
pub(super) fn write(at: Time, kind: &Kind, into: &mut Vec<Place>) {
    let at = at.0;
    match kind {
        Kind::Dequeued { chunk, .. } => into.push([at, DEQUEUED, u64::from(*chunk), 0]),
        Kind::Carried {
            chunk, bytes, way, ..
        } => {
            let way = u64::from(*way == Way::ToCaller);
            let chunk = u64::from(*chunk);
            into.push([at, CARRIED | way << 8, chunk, u64::from(*bytes)]);
        }
        Kind::Started { task, cpu } => {
            into.push([at, STARTED | cpu_word(*cpu, 16), u64::from(task.index), 0]);
        }
        Kind::Finished { task, outcome, cpu } => {
            let word = FINISHED | (*outcome as u64) << 8 | cpu_word(*cpu, 16);
            into.push([at, word, u64::from(task.index), 0]);
        }
        Kind::Ran(ran) => {
            let word = RAN | cpu_word(ran.cpu, 16) | cpu_word(ran.moved_to, 32);
            into.push([at, word, u64::from(ran.task.index), ran.since.0]);
            into.push([ran.on_cpu.0, ran.waiting.0, ran.useful_wait.0, 0]);
        }
        Kind::Span(span) => {
            if let Some(name) = SPANS.iter().position(|name| *name == span.name) {
                into.push([at, SPAN, name as u64, span.since.0]);
            }
        }
        Kind::Raised(raised) => {
            let text = raised.error.as_bytes();
            let text = &text[..text.len().min(MOST_TEXT)];
            let index = u64::from(raised.task.index);
            into.push([at, RAISED, index, text.len() as u64]);
            for part in text.chunks(PLACE * 8) {
                let mut place = [0; PLACE];
                for (word, bytes) in place.iter_mut().zip(part.chunks(8)) {
                    let mut eight = [0; 8];
                    eight[..bytes.len()].copy_from_slice(bytes);
                    *word = u64::from_ne_bytes(eight);
                }
                into.push(place);
            }
        }
        Kind::Sample(sample) if sample.quantity == RESIDENT => {
            into.push([at, MEMORY, sample.value as u64, 0]);
        }
        Kind::LaneClosed { .. } => into.push([at, CLOSED, 0, 0]),
        _ => {}
    }
}

/// Makes events of places again.
#[derive(Debug, Default)]
pub(super) struct Decoder {
    /// The first place of an event that has more, and those that have come of it.
    open: Option<(Place, Vec<Place>)>,
}

impl Decoder {
    /// What the next place says; nothing if the event goes on.
    pub(super) fn place(&mut self, call: CallId, place: Place) -> Option<(Time, Kind)> {
        let (first, more) = match self.open.take() {
            Some((first, mut more)) => {
                more.push(place);
                (first, more)
            }
            None => (place, Vec::new()),
        };
        if more.len() < following(first) {
            self.open = Some((first, more));
            return None;
        }
        Some((Time(first[0]), kind(call, first, &more)?))
    }
}

/// How many places follow the first one of an event.
fn following([_, word, _, length]: Place) -> usize {
    match word & 0xff {
        RAN => 1,
        RAISED => (length as usize).min(MOST_TEXT).div_ceil(PLACE * 8),
        _ => 0,
    }
}

fn kind(call: CallId, [_, word, a, b]: Place, more: &[Place]) -> Option<Kind> {
    let index = u32::try_from(a).ok();
    let task = |index| TaskId { call, index };
    Some(match word & 0xff {
        DEQUEUED => Kind::Dequeued {
            call,
            chunk: index?,
        },
        CARRIED => Kind::Carried {
            call,
            chunk: index?,
            bytes: u32::try_from(b).unwrap_or(u32::MAX),
            way: if word >> 8 & 1 == 0 {
                Way::ToWorker
            } else {
                Way::ToCaller
            },
        },
        STARTED => Kind::Started {
            task: task(index?),
            cpu: cpu_of(word, 16),
        },
        FINISHED => Kind::Finished {
            task: task(index?),
            outcome: *Outcome::ALL.get((word >> 8 & 0xff) as usize)?,
            cpu: cpu_of(word, 16),
        },
        RAN => {
            let [on_cpu, waiting, useful_wait, _] = more.first()?.map(Nanos);
            Kind::Ran(Box::new(Ran {
                task: task(index?),
                since: Time(b),
                on_cpu,
                waiting,
                useful_wait,
                cpu: cpu_of(word, 16),
                moved_to: cpu_of(word, 32),
            }))
        }
        SPAN => Kind::Span(Box::new(NamedSpan {
            name: (*SPANS.get(a as usize)?).to_owned(),
            category: Category::Overhead,
            since: Time(b),
        })),
        RAISED => {
            let mut text: Vec<u8> = more
                .iter()
                .flatten()
                .flat_map(|word| word.to_ne_bytes())
                .collect();
            text.truncate(b as usize);
            Kind::Raised(Box::new(Raised {
                task: task(index?),
                error: String::from_utf8_lossy(&text).into_owned(),
            }))
        }
        MEMORY => Kind::Sample(Box::new(Sample {
            quantity: RESIDENT.to_owned(),
            value: a as f64,
        })),
        CLOSED => Kind::LaneClosed {
            ended: Ended::Finished,
        },
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const CALL: CallId = CallId(0);

    fn task(index: u32) -> TaskId {
        TaskId { call: CALL, index }
    }

    #[test]
    fn what_a_worker_tells_reads_back() {
        let kinds = [
            Kind::Dequeued {
                call: CALL,
                chunk: 7,
            },
            Kind::Carried {
                call: CALL,
                chunk: 7,
                bytes: 65_600,
                way: Way::ToCaller,
            },
            Kind::Started {
                task: task(3),
                cpu: Some(CpuId(1)),
            },
            Kind::Ran(Box::new(Ran {
                task: task(3),
                since: Time(5),
                on_cpu: Nanos(1),
                waiting: Nanos(2),
                useful_wait: Nanos(3),
                cpu: None,
                moved_to: Some(CpuId(0)),
            })),
            Kind::Raised(Box::new(Raised {
                task: task(3),
                error: "ValueError: nothing of what was asked for is here".to_owned(),
            })),
            Kind::Finished {
                task: task(3),
                outcome: Outcome::Failed,
                cpu: None,
            },
            Kind::Span(Box::new(NamedSpan {
                name: "serialise".to_owned(),
                category: Category::Overhead,
                since: Time(4),
            })),
            Kind::Sample(Box::new(Sample {
                quantity: RESIDENT.to_owned(),
                value: 4_194_304.0,
            })),
            Kind::LaneClosed {
                ended: Ended::Finished,
            },
        ];
        let mut places = Vec::new();
        for (at, kind) in kinds.iter().enumerate() {
            write(Time(at as u64), kind, &mut places);
        }
        let mut decoder = Decoder::default();
        let back: Vec<_> = places
            .into_iter()
            .filter_map(|place| decoder.place(CALL, place))
            .collect();
        let expected: Vec<_> = kinds
            .into_iter()
            .enumerate()
            .map(|(at, kind)| (Time(at as u64), kind))
            .collect();
        assert_eq!(back, expected);
    }

    #[test]
    fn nonsense_is_left_out() {
        let mut decoder = Decoder::default();
        for place in [
            [0, 99, 0, 0],
            [1, STARTED, u64::MAX, 0],
            [2, FINISHED | 9 << 8, 1, 0],
            [3, SPAN, 77, 0],
            [4, RAISED, u64::MAX, 0],
        ] {
            assert_eq!(decoder.place(CALL, place), None, "{place:?}");
        }
        assert!(decoder.place(CALL, [5, CLOSED, 0, 0]).is_some());
    }
}
