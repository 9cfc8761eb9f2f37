//! The slots of a ring: bytes that make one record, or two.

use super::record::{About, Child, Chunk, Closing, NoteKind, Record, StringId, Told, Waits};
use super::{NONE, SLOT_BYTES, u16_at, u32_at, u64_at};

/// `kind`, `flags` and numbers of a slot:
/// `kind u8, flags u8, cpu u16, thread u16, n u16, t u64, a u32, b u32, c u32, sequence u32`.
struct Slot {
    kind: u8,
    flags: u8,
    n: u16,
    a: u32,
    b: u32,
    c: u32,
}

mod flag {
    pub(super) const OK: u8 = 1;
    pub(super) const RAISED: u8 = 1;
    pub(super) const LAST: u8 = 1;
    pub(super) const TAKEN: u8 = 1;
    pub(super) const THREAD: u8 = 1;
    pub(super) const PICKLING: u8 = 1;
    pub(super) const SIZED: u8 = 1;
    pub(super) const POOL: u8 = 1;
    pub(super) const READY: u8 = 2;
    pub(super) const WORK: u8 = 0x80;
}

/// Not known, where a number of 48 bits is expected.
const LONG_NONE: u64 = (1 << 48) - 1;

fn known(number: u32) -> Option<u32> {
    (number != NONE).then_some(number)
}

impl Slot {
    fn has(&self, flag: u8) -> bool {
        self.flags & flag != 0
    }

    fn chunk(&self) -> Chunk {
        Chunk {
            call: self.a,
            chunk: self.b,
            work: self.has(flag::WORK),
        }
    }

    /// A number of 48 bits.
    fn long(&self) -> Option<u64> {
        let number = u64::from(self.c) | u64::from(self.n) << 32;
        (number != LONG_NONE).then_some(number)
    }

    fn spent(&self) -> Told {
        Told::Spent {
            on_cpu: u64::from(self.a) | u64::from(self.b) << 32,
            waiting: self.long(),
        }
    }

    fn child(&self) -> Child {
        if self.has(flag::THREAD) {
            Child::Thread(self.b)
        } else {
            Child::Process(self.b)
        }
    }

    fn note(&self) -> Option<Told> {
        let kind = match self.n {
            1 => NoteKind::UnpicklableArgument,
            2 => NoteKind::WorkerExit,
            3 => NoteKind::UnpicklableResult,
            4 => NoteKind::InitializerRaised,
            5 => NoteKind::CallbackRaised,
            6 => NoteKind::ResultThreadDied,
            7 => NoteKind::Broken,
            8 => NoteKind::NotSent,
            _ => return None,
        };
        let about = match known(self.a) {
            None => About::Worker,
            Some(pool) if self.has(flag::POOL) => About::Pool(pool),
            Some(call) => About::Call {
                call,
                work: self.has(flag::WORK),
            },
        };
        Some(Told::Note {
            kind,
            about,
            text: known(self.b).map(StringId),
            value: self.c.cast_signed(),
        })
    }

    fn told(&self) -> Option<Told> {
        let &Self { n, a, b, c, .. } = self;
        let (chunk, ok) = (self.chunk(), self.has(flag::OK));
        Some(match self.kind {
            1 => Told::PoolOpen {
                pool: a,
                workers: b,
                text: StringId(c),
            },
            2 => Told::PoolClose {
                pool: a,
                how: Closing::from_number(self.flags)?,
                outstanding: c,
            },
            3 => Told::Spawn {
                pool: a,
                child: self.child(),
                slot: c,
            },
            4 => Told::Reap {
                pool: a,
                child: self.child(),
                exit: c.cast_signed(),
            },
            5 => Told::WorkerBegin { parent: a },
            6 => Told::WorkerEnd,
            7 => Told::Call {
                call: a,
                text: StringId(b),
                tasks: known(c),
            },
            8 => Told::CallIn {
                call: a,
                pool: b,
                chunksize: known(c),
            },
            9 => Told::Submit {
                call: a,
                chunk: b,
                work: c,
                items: n,
            },
            10 => Told::Put {
                chunk,
                items: n,
                bytes: known(c),
            },
            11 => Told::Taken { chunk, items: c },
            12 => Told::ItemStart { chunk, item: c },
            13 => Told::ItemEnd { chunk, item: c, ok },
            14 => Told::ItemNext { chunk, item: c },
            15 => Told::Items {
                chunk,
                first: c,
                count: n,
                last: self.has(flag::LAST),
            },
            16 => Told::Result {
                chunk,
                ok,
                bytes: known(c),
            },
            17 => Told::Cost {
                chunk,
                pickling: self.has(flag::PICKLING),
                nanos: c,
            },
            18 => Told::Back { chunk, ok },
            19 => Told::Ready {
                call: a,
                taken: self.has(flag::TAKEN),
            },
            20 => Told::Block {
                call: known(a),
                waits: Waits::from_number(b),
            },
            21 => Told::Unblock { call: known(a) },
            22 => Told::Delivered {
                call: a,
                chunk: known(b),
                raised: self.has(flag::RAISED),
            },
            23 => Told::InputEnd {
                call: a,
                chunks: b,
                delivered: c,
                sized: self.has(flag::SIZED),
            },
            24 => Told::Raised {
                chunk,
                item: (n != u16::MAX).then_some(n),
                text: StringId(c),
            },
            25 => return self.note(),
            26 => Told::Cancelled { call: a, chunk: b },
            30 => self.spent(),
            31 => Told::ThreadEnd,
            _ => return None,
        })
    }
}

impl Slot {
    /// The kinds that tell two things: what passes for every message of one item is worth it.
    ///
    /// | kind | tells | a, b | c | n |
    /// |---|---|---|---|---|
    /// | 27 | [`Told::Taken`], now [`Told::ItemStart`] of item 0 | chunk | nanoseconds between the two | |
    /// | 28 | now [`Told::ItemEnd`] of item 0, well; [`Told::Result`] | chunk | bytes | nanoseconds between the two |
    /// | 29 | [`Told::Call`] of one task, [`Told::CallIn`] | call, text | pool | |
    /// | 18, flag 2 | [`Told::Back`], [`Told::Ready`] | chunk | | |
    fn pair(&self, at: u64) -> Option<[(u64, Told); 2]> {
        let &Self { n, a, b, c, .. } = self;
        let (chunk, ok) = (self.chunk(), self.has(flag::OK));
        let (first, second) = match self.kind {
            27 => {
                let taken = at.saturating_sub(u64::from(c));
                (
                    (taken, Told::Taken { chunk, items: 1 }),
                    (at, Told::ItemStart { chunk, item: 0 }),
                )
            }
            28 => {
                let (item, ok) = (0, true);
                let bytes = known(c);
                (
                    (at, Told::ItemEnd { chunk, item, ok }),
                    (
                        at.saturating_add(u64::from(n)),
                        Told::Result { chunk, ok, bytes },
                    ),
                )
            }
            29 => {
                let call = Told::Call {
                    call: a,
                    text: StringId(b),
                    tasks: Some(1),
                };
                let call_in = Told::CallIn {
                    call: a,
                    pool: c,
                    chunksize: Some(1),
                };
                ((at, call), (at, call_in))
            }
            18 if self.has(flag::READY) => {
                let taken = false;
                (
                    (at, Told::Back { chunk, ok }),
                    (at, Told::Ready { call: a, taken }),
                )
            }
            _ => return None,
        };
        Some([first, second])
    }
}

impl Closing {
    fn from_number(number: u8) -> Option<Self> {
        Some(match number {
            1 => Self::Close,
            2 => Self::Terminate,
            3 => Self::With,
            4 => Self::Shutdown,
            5 => Self::Raising,
            6 => Self::Exit,
            _ => return None,
        })
    }
}

impl Waits {
    fn from_number(number: u32) -> Self {
        match number {
            1 => Self::Map,
            2 => Self::Starmap,
            3 => Self::Apply,
            4 => Self::Get,
            5 => Self::Next,
            6 => Self::Result,
            7 => Self::Futures,
            8 => Self::Join,
            9 => Self::Shutdown,
            _ => Self::Other,
        }
    }
}

impl Record {
    /// What a slot whose sequence was checked tells, in the order of time: one thing, or two. `None`: of a kind
    /// that is not known here.
    pub fn parse(slot: &[u8; SLOT_BYTES]) -> Option<(Self, Option<Self>)> {
        let cpu = u16_at(slot, 2)?;
        let parts = Slot {
            kind: slot[0],
            flags: slot[1],
            n: u16_at(slot, 6)?,
            a: u32_at(slot, 16)?,
            b: u32_at(slot, 20)?,
            c: u32_at(slot, 24)?,
        };
        let (at, thread) = (u64_at(slot, 8)?, u16_at(slot, 4)?);
        let record = |(at, told)| Self {
            at,
            thread,
            cpu: (cpu != u16::MAX).then_some(cpu),
            told,
        };
        Some(match parts.pair(at) {
            Some([first, second]) => (record(first), Some(record(second))),
            None => (record((at, parts.told()?)), None),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slot(kind: u8, flags: u8, n: u16, numbers: [u32; 3]) -> [u8; SLOT_BYTES] {
        let mut slot = [0; SLOT_BYTES];
        slot[0] = kind;
        slot[1] = flags;
        slot[2..4].copy_from_slice(&u16::MAX.to_ne_bytes());
        slot[4..6].copy_from_slice(&7_u16.to_ne_bytes());
        slot[6..8].copy_from_slice(&n.to_ne_bytes());
        slot[8..16].copy_from_slice(&123_u64.to_ne_bytes());
        for (index, number) in numbers.iter().enumerate() {
            slot[16 + 4 * index..][..4].copy_from_slice(&number.to_ne_bytes());
        }
        slot
    }

    #[test]
    fn a_record_says_when_who_and_what() {
        let record = Record::parse(&slot(13, flag::OK | flag::WORK, 0, [3, 0, 5]))
            .unwrap()
            .0;
        assert_eq!(
            record,
            Record {
                at: 123,
                thread: 7,
                cpu: None,
                told: Told::ItemEnd {
                    chunk: Chunk {
                        call: 3,
                        chunk: 0,
                        work: true
                    },
                    item: 5,
                    ok: true
                },
            }
        );
    }

    #[test]
    fn what_is_not_known_is_none_and_never_a_large_number() {
        let told = |kind, numbers| Record::parse(&slot(kind, 0, 0, numbers)).unwrap().0.told;
        assert!(matches!(
            told(7, [1, 2, NONE]),
            Told::Call { tasks: None, .. }
        ));
        assert!(matches!(
            told(20, [NONE, 0, 0]),
            Told::Block { call: None, .. }
        ));
        assert!(matches!(
            told(22, [1, NONE, 0]),
            Told::Delivered { chunk: None, .. }
        ));
        let spent = |n, numbers| Record::parse(&slot(30, 0, n, numbers)).unwrap().0.told;
        let (on_cpu, waiting) = (5 | 6 << 32, Some(7 | 8 << 32));
        assert_eq!(spent(8, [5, 6, 7]), Told::Spent { on_cpu, waiting });
        let waiting = None;
        assert_eq!(
            spent(u16::MAX, [5, 6, NONE]),
            Told::Spent { on_cpu, waiting }
        );
    }

    #[test]
    fn one_slot_tells_two_things_of_a_message_of_one_item() {
        let two = |kind, flags, n, numbers| {
            let (first, second) = Record::parse(&slot(kind, flags, n, numbers)).unwrap();
            let second = second.unwrap();
            assert_eq!((first.thread, second.thread), (7, 7));
            [(first.at, first.told), (second.at, second.told)]
        };
        let chunk = Chunk {
            call: 3,
            chunk: 4,
            work: false,
        };
        let (item, ok, bytes) = (0, true, Some(99));
        assert_eq!(
            two(27, 0, 0, [3, 4, 23]),
            [
                (100, Told::Taken { chunk, items: 1 }),
                (123, Told::ItemStart { chunk, item }),
            ]
        );
        assert_eq!(
            two(28, 0, 10, [3, 4, 99]),
            [
                (123, Told::ItemEnd { chunk, item, ok }),
                (133, Told::Result { chunk, ok, bytes }),
            ]
        );
        let (call, text, pool) = (3, StringId(4), 5);
        assert_eq!(
            two(29, 0, 0, [3, 4, 5]).map(|(_, told)| told),
            [
                Told::Call {
                    call,
                    text,
                    tasks: Some(1)
                },
                Told::CallIn {
                    call,
                    pool,
                    chunksize: Some(1)
                },
            ]
        );
        let taken = false;
        assert_eq!(
            two(18, flag::OK | flag::READY, 0, [3, 4, 0]).map(|(_, told)| told),
            [Told::Back { chunk, ok }, Told::Ready { call, taken }]
        );
    }

    #[test]
    fn a_distance_in_time_from_outside_leads_nowhere() {
        let mut first = slot(27, 0, 0, [3, 4, NONE]);
        first[8..16].fill(0);
        assert_eq!(Record::parse(&first).unwrap().0.at, 0);
        let mut last = slot(28, 0, u16::MAX, [3, 4, 5]);
        last[8..16].fill(0xFF);
        assert_eq!(Record::parse(&last).unwrap().1.unwrap().at, u64::MAX);
    }

    #[test]
    fn an_unknown_kind_is_no_record() {
        assert_eq!(Record::parse(&[0; SLOT_BYTES]), None);
        assert_eq!(Record::parse(&[0xFF; SLOT_BYTES]), None);
        assert_eq!(Record::parse(&slot(25, 0, 99, [0; 3])), None);
    }
}
