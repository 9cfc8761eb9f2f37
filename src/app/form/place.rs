//! Which field of the form something is about.

use crate::app::form::fields::FIELDS;
use crate::experiment::{Contradiction, Part};

/// The field that a contradiction is about.
pub(super) fn field_of(wrong: &Contradiction) -> usize {
    place_of(match wrong {
        Contradiction::Misfit(misfit) => label_of(misfit.part),
        Contradiction::Workers(_) => "workers",
        Contradiction::Cpus(_) => "cpus",
        Contradiction::Tasks(_) => "tasks",
        Contradiction::NoChunks | Contradiction::Unchunked(_) => "chunk size",
        Contradiction::FaultOfNone(_)
        | Contradiction::FaultBeyond(..)
        | Contradiction::FaultTwice(_) => "faults",
        Contradiction::Unavailable(_) => "backend",
        Contradiction::Payload(..) => "payload",
        Contradiction::Increments(_) | Contradiction::Race(..) => "increments",
        Contradiction::Unit => "unit",
        Contradiction::Length => "costs",
    })
}

/// The field that asks for a part.
pub(super) fn of_part(part: Part) -> usize {
    place_of(label_of(part))
}

fn label_of(part: Part) -> &'static str {
    match part {
        Part::Cpus => "cpus",
        Part::Payload => "payload",
        Part::Dispatch => "dispatch",
        Part::Startup => "startup",
        Part::Gil => "gil",
        Part::Policy => "policy",
        Part::Memory => "memory",
        Part::Race => "effect",
        Part::Die => "faults",
    }
}

fn place_of(label: &str) -> usize {
    let place = FIELDS.iter().position(|spec| spec.label == label);
    place.unwrap_or_default()
}
