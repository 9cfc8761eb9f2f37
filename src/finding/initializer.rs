//! Initializers that raise, and the storm of workers that die of them.

use super::search::{Search, noted};
use super::words::in_brackets;
use super::{Finding, FindingKind};
use crate::event::{NoteKind, PoolId};
use crate::plural::counted;
use crate::time::Nanos;
use crate::trace::{TimedNote, Trace};
use std::collections::BTreeMap;

/// Workers that die of their initializer before that is called a storm with a rate: a pool that starts
/// its first workers has no rate.
const STORM: usize = 3;

pub(super) fn search(search: &mut Search<'_>) {
    let mut pools: BTreeMap<Option<PoolId>, Vec<&TimedNote>> = BTreeMap::new();
    let notes = search.scene.notes().iter();
    for note in notes.filter(|note| note.note.kind == NoteKind::InitializerRaised) {
        let pool = pool_of(search.scene.trace, note);
        pools.entry(pool).or_default().push(note);
    }
    for (pool, notes) in pools {
        let finding = initializer(search, pool, &notes);
        search.of_pool(notes.len() as f64, finding);
    }
}

fn pool_of(trace: &Trace, note: &TimedNote) -> Option<PoolId> {
    note.note.pool.or_else(|| trace.lane(note.lane)?.facts.pool)
}

/// `notes`: all of one pool, at least one.
fn initializer(search: &Search<'_>, pool: Option<PoolId>, notes: &[&TimedNote]) -> Finding {
    let (first, last) = (notes[0], notes[notes.len() - 1]);
    let died = notes.len();
    let rows = search.scene.trace.rows_of(pool).flat_map(|row| &row.lanes);
    let lanes = rows.filter_map(|&id| search.scene.trace.lane(id));
    let started = lanes.filter(|lane| lane.opened <= search.scene.at);
    let started = started.count().max(died);
    let error = in_brackets(&first.note.text);
    let span = last.at.since(first.at);
    let rate = (died >= STORM && span > Nanos::ZERO).then(|| (died - 1) as f64 / span.seconds());
    let mut numbers = vec![("workers", started as f64)];
    let text = if search.scene.is_executor(pool) {
        format!(
            "the initializer raised{error}: the executor is broken, and every result raises an error"
        )
    } else if let Some(rate) = rate {
        numbers.push(("rate", rate));
        format!(
            "the initializer raises{error}: {} died of it so far, {rate:.0} a second, each replaced by one \
             that dies as well; no task will ever run",
            counted(died, "worker", "workers"),
        )
    } else {
        format!(
            "the initializer raised{error}: {} died of it and will be replaced by workers that die as well",
            counted(died, "worker", "workers"),
        )
    };
    let advice = "let the initializer keep the error instead of raising it, and each task raise it: so the caller gets \
                  it, and nothing dies";
    let mut finding = noted(FindingKind::InitializerRaised, first, text, advice);
    (finding.call, finding.numbers) = (None, numbers);
    finding
}

#[cfg(test)]
mod tests {
    use super::super::told::Told;
    use super::*;

    #[test]
    fn an_initializer_that_raises_again_and_again_has_a_rate() {
        let once = Told::pool("Pool", 2)
            .note(10, 1, NoteKind::InitializerRaised, 0)
            .finding();
        assert_eq!(
            (once.kind, once.numbers.as_slice()),
            (FindingKind::InitializerRaised, &[("workers", 2.0)][..])
        );
        let mut storm = Told::pool("Pool", 2);
        for k in 0..101 {
            storm = storm.note(10 + 10 * k, 1, NoteKind::InitializerRaised, 0);
        }
        let found = storm.finding();
        assert_eq!(found.numbers, [("workers", 101.0), ("rate", 100.0)]);
        found.says("(TypeError: no): 101 workers died of it so far, 100 a second");
        let executor =
            Told::pool("ProcessPoolExecutor", 2).note(10, 1, NoteKind::InitializerRaised, 0);
        assert!(executor.finding().text.contains("the executor is broken"));
    }
}
