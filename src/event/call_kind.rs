//! What a program asked of a pool, as far as the name of the method it called tells.
//!
//! The lab and programs call the same methods; a name from outside that no pool has is one of which nothing is known.

/// See the module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallKind {
    Map,
    Starmap,
    MapAsync,
    StarmapAsync,
    Imap,
    ImapUnordered,
    Apply,
    ApplyAsync,
    /// Of an executor, whose `map` is another one than that of a Pool.
    Submit,
    MapOfExecutor,
    /// A plain loop of the lab, which calls no pool.
    Loop,
    Unknown,
}

impl CallKind {
    /// A `map` is taken for that of a Pool, see [`CallKind::of`].
    pub fn named(method: &str) -> Self {
        match method {
            "map" => Self::Map,
            "starmap" => Self::Starmap,
            "map_async" => Self::MapAsync,
            "starmap_async" => Self::StarmapAsync,
            "imap" => Self::Imap,
            "imap_unordered" => Self::ImapUnordered,
            "apply" => Self::Apply,
            "apply_async" => Self::ApplyAsync,
            "submit" => Self::Submit,
            "loop" => Self::Loop,
            _ => Self::Unknown,
        }
    }

    /// The same once it is known who was asked.
    #[must_use]
    pub fn of(self, is_executor: bool) -> Self {
        match self {
            Self::Map if is_executor => Self::MapOfExecutor,
            kind => kind,
        }
    }

    /// All results come as one list, and an error instead of all of them. Otherwise each is asked for on its own.
    pub fn gives_list(self) -> bool {
        matches!(
            self,
            Self::Map | Self::Starmap | Self::MapAsync | Self::StarmapAsync
        )
    }

    /// The caller takes results one by one from an iterator.
    pub fn gives_iterator(self) -> bool {
        matches!(self, Self::MapOfExecutor) || self.is_imap()
    }

    /// Its input may be endless: it is read while tasks are sent.
    pub fn is_imap(self) -> bool {
        matches!(self, Self::Imap | Self::ImapUnordered)
    }

    /// Each call is one task.
    pub fn is_single(self) -> bool {
        matches!(self, Self::Apply | Self::ApplyAsync | Self::Submit)
    }

    /// It returns only with what its tasks gave or raised.
    pub fn blocks(self) -> bool {
        matches!(self, Self::Map | Self::Starmap | Self::Apply)
    }

    /// It returns at once with something that is asked for the results later.
    pub fn returns_at_once(self) -> bool {
        matches!(
            self,
            Self::MapAsync | Self::StarmapAsync | Self::ApplyAsync | Self::Submit
        )
    }

    /// The caller meets the error of the task that was submitted first, whichever failed first.
    pub fn raises_in_turn(self) -> bool {
        matches!(self, Self::Imap | Self::ApplyAsync | Self::MapOfExecutor)
    }

    /// What the caller gets its results with, or errors.
    pub fn taken_with(self) -> &'static str {
        match self {
            Self::Map => "map()",
            Self::Starmap => "starmap()",
            Self::Apply => "apply()",
            Self::MapAsync | Self::StarmapAsync | Self::ApplyAsync => "get()",
            Self::Submit => "result()",
            Self::Loop => "f()",
            Self::Imap | Self::ImapUnordered | Self::MapOfExecutor | Self::Unknown => "next()",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::method::{Badge, Delivery, Method};

    #[test]
    fn every_method_of_the_lab_is_known_by_its_rules() {
        for method in Method::ALL {
            let kind = CallKind::named(method.name());
            let rules = method.rules();
            assert_ne!(kind, CallKind::Unknown, "{method:?}");
            let is_list = rules.delivery == Delivery::List;
            assert_eq!(kind.gives_list(), is_list, "{method:?}");
            let is_async = rules.badge == Badge::Async;
            assert_eq!(kind.returns_at_once(), is_async, "{method:?}");
        }
    }

    #[test]
    fn the_map_of_an_executor_hands_over_one_by_one() {
        let map = CallKind::named("map");
        assert!(map.of(false).gives_list() && !map.of(false).gives_iterator());
        assert!(map.of(true).gives_iterator() && !map.of(true).gives_list());
        assert_eq!(CallKind::named("submit").of(true), CallKind::Submit);
    }
}
