//! The methods of a Pool as one table, and the pure rules that follow from a row.
//!
//! Everything that tells one method from another is a column here: what is sent, what the caller blocks
//! in, and how results reach it. Backends ask the table and never compare method names. The rules are
//! those of CPython's `multiprocessing/pool.py`, the same from 3.8 to 3.13.

use crate::event::{BlockedIn, Indexes};
use serde::{Deserialize, Serialize};

/// One of the eight Pool methods, or `loop`: the serial baseline without a pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    Map,
    MapAsync,
    Imap,
    ImapUnordered,
    Apply,
    ApplyAsync,
    Starmap,
    StarmapAsync,
    Loop,
}

/// The word the header shows for a method. The iterators return at once and block in `next()`, so they
/// are called neither synchronous nor asynchronous.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Badge {
    Sync,
    Async,
    IteratorInOrder,
    IteratorAsFinished,
    Serial,
}

impl Badge {
    pub fn word(self) -> &'static str {
        match self {
            Self::Sync => "SYNC",
            Self::Async => "ASYNC",
            Self::IteratorInOrder => "ITERATOR in order",
            Self::IteratorAsFinished => "ITERATOR as finished",
            Self::Serial => "SERIAL",
        }
    }
}

/// What one message to a worker holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sends {
    /// Chunks; the size is CPython's rule unless asked for.
    ChunksByRule,
    /// Chunks; the size is 1 unless asked for.
    ChunksOfOne,
    /// One task, and a chunk size makes no sense.
    Tasks,
    /// Nothing is sent: the caller runs the tasks.
    Nothing,
}

/// How results become usable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// One list in input order, when the last chunk is back.
    List,
    /// One by one in input order; later results are held back.
    InOrder,
    /// One by one as their chunks come back.
    AsFinished,
    /// A callback for each as it comes back, in the thread that handles results.
    Callback,
    /// The value of the one call.
    Value,
}

/// A row of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    pub name: &'static str,
    /// What there is to see, in one line of 78 columns.
    pub caption: &'static str,
    pub badge: Badge,
    /// What `s` switches to; a loop has no asynchronous form.
    pub partner: Option<Method>,
    pub sends: Sends,
    pub delivery: Delivery,
    /// The call returns only when its result is there, and the caller's own work comes after it;
    /// otherwise that work is done right after submission, before results are collected.
    pub blocks: bool,
    /// What the caller blocks in while it waits for results.
    pub blocked_in: Option<BlockedIn>,
    /// The next task is submitted only after the previous result.
    pub one_at_a_time: bool,
    /// Argument tuples are unpacked: `f(3, 4)` instead of `f((3, 4))`. The loop is written so too:
    /// `[f(*x) for x in xs]`.
    pub unpacks: bool,
}

impl Method {
    /// All methods, families in the order in which `m` goes through them.
    pub const ALL: [Self; 9] = [
        Self::Map,
        Self::MapAsync,
        Self::Imap,
        Self::ImapUnordered,
        Self::Apply,
        Self::ApplyAsync,
        Self::Starmap,
        Self::StarmapAsync,
        Self::Loop,
    ];

    /// The first method of each family, in the order of `m`.
    pub const FAMILIES: [Self; 5] = [
        Self::Map,
        Self::Imap,
        Self::Apply,
        Self::Starmap,
        Self::Loop,
    ];

    pub const fn rules(self) -> Rules {
        let list = Rules {
            name: "map",
            caption: "map: main waits for the list; tasks finish in any order, the list is in order",
            badge: Badge::Sync,
            partner: Some(Self::MapAsync),
            sends: Sends::ChunksByRule,
            delivery: Delivery::List,
            blocks: true,
            blocked_in: Some(BlockedIn::Map),
            one_at_a_time: false,
            unpacks: false,
        };
        match self {
            Self::Map => list,
            Self::MapAsync => Rules {
                name: "map_async",
                caption: "map_async: main works meanwhile; the same list, in order, all at once",
                badge: Badge::Async,
                partner: Some(Self::Map),
                blocks: false,
                blocked_in: Some(BlockedIn::Get),
                ..list
            },
            Self::Starmap => Rules {
                name: "starmap",
                caption: "starmap: map with argument tuples unpacked, f(3, 4); main waits for the list",
                partner: Some(Self::StarmapAsync),
                blocked_in: Some(BlockedIn::Starmap),
                unpacks: true,
                ..list
            },
            Self::StarmapAsync => Rules {
                name: "starmap_async",
                caption: "starmap_async: main works meanwhile; the list of starmap, in order, at once",
                badge: Badge::Async,
                partner: Some(Self::Starmap),
                blocks: false,
                blocked_in: Some(BlockedIn::Get),
                unpacks: true,
                ..list
            },
            Self::Imap => Rules {
                name: "imap",
                caption: "imap: results one by one, in order; an early one is held back until its turn",
                badge: Badge::IteratorInOrder,
                partner: Some(Self::ImapUnordered),
                sends: Sends::ChunksOfOne,
                delivery: Delivery::InOrder,
                blocks: false,
                blocked_in: Some(BlockedIn::Next),
                ..list
            },
            Self::ImapUnordered => Rules {
                name: "imap_unordered",
                caption: "imap_unordered: each result as it finishes: scrambled, and the first one early",
                badge: Badge::IteratorAsFinished,
                partner: Some(Self::Imap),
                sends: Sends::ChunksOfOne,
                delivery: Delivery::AsFinished,
                blocks: false,
                blocked_in: Some(BlockedIn::Next),
                ..list
            },
            Self::Apply => Rules {
                name: "apply",
                caption: "apply: main waits for each result before it sends the next: one worker at work",
                partner: Some(Self::ApplyAsync),
                sends: Sends::Tasks,
                delivery: Delivery::Value,
                blocked_in: Some(BlockedIn::Apply),
                one_at_a_time: true,
                unpacks: true,
                ..list
            },
            Self::ApplyAsync => Rules {
                name: "apply_async",
                caption: "apply_async: main works meanwhile; a callback for each result as it finishes",
                badge: Badge::Async,
                partner: Some(Self::Apply),
                sends: Sends::Tasks,
                delivery: Delivery::Callback,
                blocks: false,
                blocked_in: Some(BlockedIn::Get),
                unpacks: true,
                ..list
            },
            Self::Loop => Rules {
                name: "loop",
                caption: "loop: no pool and no workers: main runs the tasks itself, one after another",
                badge: Badge::Serial,
                partner: None,
                sends: Sends::Nothing,
                delivery: Delivery::Value,
                blocked_in: None,
                one_at_a_time: true,
                unpacks: true,
                ..list
            },
        }
    }

    /// What comes nearest to the method on an executor of `concurrent.futures`, which has `map` and `submit` only: its
    /// `map` is an iterator, with a chunk size of 1 unless asked for.
    pub const fn rules_on_executor(self) -> Rules {
        let rules = self.rules();
        let list = Rules {
            caption: "executor.map: main takes one result after another, in order, and then works",
            badge: Badge::IteratorInOrder,
            sends: Sends::ChunksOfOne,
            delivery: Delivery::InOrder,
            blocked_in: Some(BlockedIn::Next),
            ..rules
        };
        let works_first =
            "executor.map: main works, and then takes one result after another, in order";
        match self {
            Self::Map | Self::Starmap => list,
            Self::MapAsync | Self::StarmapAsync => Rules {
                caption: works_first,
                ..list
            },
            Self::Imap => Rules {
                caption: works_first,
                ..rules
            },
            Self::ImapUnordered => Rules {
                caption: "as_completed: each result as it finishes: scrambled, and the first one early",
                sends: Sends::Tasks,
                ..rules
            },
            Self::Apply => Rules {
                caption: "submit(f, x).result(): main waits for each result before it sends the next",
                blocked_in: Some(BlockedIn::Result),
                ..rules
            },
            Self::ApplyAsync => Rules {
                caption: "submit: main works meanwhile, then takes one result after another, in order",
                delivery: Delivery::InOrder,
                blocked_in: Some(BlockedIn::Result),
                ..rules
            },
            Self::Loop => rules,
        }
    }

    pub fn name(self) -> &'static str {
        self.rules().name
    }

    /// The method with this name, as Python spells it.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|method| method.name() == name)
    }

    /// The first method of the family this belongs to.
    #[must_use]
    pub fn family(self) -> Self {
        if Self::FAMILIES.contains(&self) {
            self
        } else {
            self.rules().partner.unwrap_or(self)
        }
    }

    /// The family `steps` further on, in the same form (`s`) where it has one.
    #[must_use]
    pub fn next_family(self, steps: i32) -> Self {
        let families = Self::FAMILIES;
        let here = families
            .iter()
            .position(|&family| family == self.family())
            .unwrap_or(0);
        let there = families[(here as i32 + steps).rem_euclid(families.len() as i32) as usize];
        if self == self.family() {
            there
        } else {
            there.rules().partner.unwrap_or(there)
        }
    }

    /// How many workers run the tasks: a loop has the main program only.
    pub fn workers(self, pool: u32) -> u32 {
        if self.rules().sends == Sends::Nothing {
            1
        } else {
            pool
        }
    }

    /// The chunk size a call really has, see [`Rules::chunksize`].
    pub fn chunksize(self, asked: Option<u32>, tasks: u32, workers: u32) -> u32 {
        self.rules().chunksize(asked, tasks, workers)
    }
}

impl Rules {
    /// What `s` makes of the method, in a word or two.
    pub fn switch(self) -> &'static str {
        match (self.badge, self.partner) {
            (Badge::Serial, _) | (_, None) => "",
            (Badge::Sync, _) => "async",
            (Badge::Async, _) => "sync",
            (Badge::IteratorAsFinished, _) => "in order",
            (Badge::IteratorInOrder, Some(Method::ImapUnordered)) => "as finished",
            // Both are the same iterator on an executor.
            (Badge::IteratorInOrder, Some(_)) if self.blocks => "main works first",
            (Badge::IteratorInOrder, Some(_)) => "main works last",
        }
    }

    /// The chunk size a call really has. CPython's rule for the `map` family: a quarter of an even
    /// share per worker, rounded up, `ceil(n / (4 * workers))`; 0 for no tasks at all.
    pub fn chunksize(self, asked: Option<u32>, tasks: u32, workers: u32) -> u32 {
        match self.sends {
            Sends::Tasks | Sends::Nothing => 1,
            Sends::ChunksOfOne => asked.unwrap_or(1),
            Sends::ChunksByRule => asked
                .unwrap_or_else(|| u64::from(tasks).div_ceil(4 * u64::from(workers.max(1))) as u32),
        }
    }
}

/// How tasks are cut into chunks, numbered in the order in which they are sent; the last may be short.
#[derive(Clone, Copy, Debug)]
pub struct Chunks {
    tasks: u32,
    size: u32,
}

impl Chunks {
    pub fn new(tasks: u32, chunksize: u32) -> Self {
        Self {
            tasks,
            size: chunksize.max(1),
        }
    }

    /// Tasks in each but the last.
    pub fn size(self) -> u32 {
        self.size
    }

    /// How many there are.
    pub fn count(self) -> u32 {
        self.tasks.div_ceil(self.size)
    }

    /// How many are whole among the tasks before `end`.
    pub fn before(self, end: u32) -> u32 {
        if end >= self.tasks {
            self.count()
        } else {
            end / self.size
        }
    }

    /// The tasks of a chunk.
    #[inline]
    pub fn tasks(self, chunk: u32) -> Indexes {
        let first = chunk.saturating_mul(self.size).min(self.tasks);
        Indexes::new(first, first.saturating_add(self.size).min(self.tasks))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_map_of_an_executor_is_an_iterator_whatever_it_stands_for() {
        for method in [Method::Map, Method::StarmapAsync, Method::Imap] {
            let rules = method.rules_on_executor();
            assert_eq!(rules.badge, Badge::IteratorInOrder);
            assert_eq!(rules.delivery, Delivery::InOrder);
            assert_eq!(rules.chunksize(None, 100, 2), 1);
            assert_eq!(rules.blocks, method.rules().blocks);
        }
        for method in Method::ALL {
            for rules in [method.rules(), method.rules_on_executor()] {
                assert!(rules.caption.len() <= 78, "{}", rules.caption);
                assert_eq!(rules.switch().is_empty(), rules.partner.is_none());
            }
        }
    }

    #[test]
    fn chunk_sizes_are_those_of_cpython() {
        // (tasks, workers, size) as CPython 3.11 computes them.
        for (tasks, workers, size) in [
            (10, 2, 2),
            (100, 4, 7),
            (15_000_000, 24, 156_250),
            (24, 4, 2),
            (0, 4, 0),
            (1, 8, 1),
        ] {
            assert_eq!(
                Method::Map.chunksize(None, tasks, workers),
                size,
                "{tasks} tasks, {workers} workers"
            );
        }
        assert_eq!(Method::Imap.chunksize(None, 100, 4), 1);
        assert_eq!(Method::Apply.chunksize(None, 100, 4), 1);
        assert_eq!(Method::Map.chunksize(Some(5), 100, 4), 5);
    }

    #[test]
    fn chunks_cover_every_task_once() {
        let chunks = Chunks::new(10, 4);
        let all: Vec<u32> = (0..chunks.count())
            .flat_map(|chunk| chunks.tasks(chunk).iter())
            .collect();
        assert_eq!(all, (0..10).collect::<Vec<_>>());
        assert_eq!(chunks.count(), 3);
        assert_eq!(Chunks::new(0, 4).count(), 0);
        assert_eq!([3, 4, 9, 10].map(|end| chunks.before(end)), [0, 1, 2, 3]);
    }

    #[test]
    fn a_caption_is_one_line_of_80_columns() {
        for method in Method::ALL {
            let rules = method.rules();
            let named = rules.caption.starts_with(&format!("{}: ", rules.name));
            assert!(named && rules.caption.len() <= 78, "{}", rules.caption);
        }
    }

    #[test]
    fn switching_twice_comes_back() {
        for method in Method::ALL {
            if let Some(partner) = method.rules().partner {
                assert_eq!(partner.rules().partner, Some(method));
            }
            assert_eq!(Method::named(method.name()), Some(method));
        }
    }

    #[test]
    fn families_follow_one_another_in_the_same_form() {
        assert_eq!(Method::Map.next_family(1), Method::Imap);
        assert_eq!(Method::MapAsync.next_family(1), Method::ImapUnordered);
        assert_eq!(Method::StarmapAsync.next_family(1), Method::Loop);
        assert_eq!(Method::Map.next_family(-1), Method::Loop);
        assert_eq!(Method::Loop.next_family(1), Method::Map);
    }
}
