//! What a lane did besides tasks, such as the start-up of a worker, by start. Names are told again and
//! again: each is kept once.

use super::super::packed::{List, Row};
use super::super::stretches::{Held, Stretch, Stretches};
use super::super::text::cut;
use crate::event::{Category, NamedSpan};
use crate::time::{Nanos, Span, Time};
use std::collections::BTreeMap;

/// A stretch on a lane that is no task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OtherSpan {
    pub span: Span,
    pub category: Category,
    name: u32,
}

impl Row for OtherSpan {
    type Numbers = [u64; 4];

    fn numbers(&self, _: usize) -> [u64; 4] {
        let is_overhead = self.category == Category::Overhead;
        [
            self.span.start().0,
            self.span.length().0,
            is_overhead.into(),
            self.name.into(),
        ]
    }

    fn from_numbers([start, length, is_overhead, name]: [u64; 4], _: usize) -> Self {
        let start = Time(start);
        Self {
            span: Span::new(start, start + Nanos(length)),
            category: match is_overhead {
                1 => Category::Overhead,
                _ => Category::Other,
            },
            name: name as u32,
        }
    }
}

/// Overhead is summed up apart.
impl Stretch for OtherSpan {
    fn span(&self) -> Span {
        self.span
    }

    fn part(&self) -> Nanos {
        match self.category {
            Category::Overhead => self.span.length(),
            Category::Other => Nanos::ZERO,
        }
    }

    fn rank(&self) -> u32 {
        0
    }
}

/// See the module.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Others {
    spans: Stretches<OtherSpan>,
    names: Vec<String>,
    /// The place of each in `names`.
    places: BTreeMap<String, u32>,
}

impl Others {
    pub(super) fn add(&mut self, told: &NamedSpan, at: Time) {
        let name = match self.places.get(&told.name) {
            Some(&place) => place,
            None => self.learn(&told.name),
        };
        self.spans.add(OtherSpan {
            span: Span::new(told.since.min(at), at),
            category: told.category,
            name,
        });
        self.spans.settle();
    }

    fn learn(&mut self, name: &str) -> u32 {
        let name = cut(name.to_owned());
        let place = self.names.len() as u32;
        let place = *self.places.entry(name.clone()).or_insert(place);
        if place as usize == self.names.len() {
            self.names.push(name);
        }
        place
    }

    pub(super) fn all(&self) -> List<'_, OtherSpan> {
        self.spans.all()
    }

    pub(super) fn name(&self, other: &OtherSpan) -> &str {
        let name = self.names.get(other.name as usize);
        name.map_or("", String::as_str)
    }

    /// How long there was any up to `time`, and how much of it was overhead.
    pub(super) fn held_until(&self, time: Time) -> Held {
        self.spans.held_until(time)
    }

    /// The last end up to `time`.
    pub(super) fn ended_by(&self, time: Time) -> Option<Time> {
        self.spans.ended_by(time)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_is_told_again_is_kept_once() {
        let mut others = Others::default();
        for turn in 0..1_000 {
            let [name, long] = ["pickle".to_owned(), "x".repeat(5_000)];
            for (place, name) in (0..).zip([name, long]) {
                let since = Time(turn * 10 + place * 3);
                let category = Category::Overhead;
                let told = NamedSpan {
                    name,
                    category,
                    since,
                };
                others.add(&told, since + Nanos(2));
            }
        }
        assert_eq!(others.names.len(), 2);
        let all = others.all();
        let names: Vec<&str> = [0, 1, 1_998]
            .map(|k| others.name(&all.get(k).unwrap()))
            .into();
        assert_eq!(
            (names[0], names[1].len(), names[2]),
            ("pickle", 2_000, "pickle")
        );
        assert_eq!(others.held_until(Time(5_000)).part, Nanos(2_000));
    }

    #[test]
    fn what_is_under_way_counts_as_far_as_it_has_come() {
        let mut others = Others::default();
        for (since, at, category) in [
            (0, 100, Category::Overhead),
            (10, 20, Category::Other),
            (120, 160, Category::Overhead),
        ] {
            let (name, since) = (String::new(), Time(since));
            let told = NamedSpan {
                name,
                category,
                since,
            };
            others.add(&told, Time(at));
        }
        let at = |time| others.held_until(Time(time));
        assert_eq!((at(50).length, at(50).part), (Nanos(60), Nanos(50)));
        assert_eq!((at(140).length, at(140).part), (Nanos(130), Nanos(120)));
        let ended = [5, 50, 130, 200].map(|time| others.ended_by(Time(time)));
        assert_eq!(
            ended,
            [None, Some(20), Some(100), Some(160)].map(|at| at.map(Time))
        );
    }
}
