//! What it costs to replace workers that did their share.

use super::search::{Scene, Search, share_of};
use super::{Finding, FindingKind};
use crate::definition::percent;
use crate::event::Ended;
use crate::plural::counted;
use crate::time::{Nanos, Time};
use crate::trace::{Lane, Pool};

/// Below this share of the workers' time it is worth whatever it is for.
const SHARE: f64 = 0.2;

pub(super) fn search(search: &mut Search<'_>) {
    let scene = search.scene;
    for pool in scene.trace.pools().filter(|pool| pool.opened <= scene.at) {
        if let Some((weight, finding)) = restarts(scene, pool) {
            search.of_pool(weight, finding);
        }
    }
}

fn restarts(scene: Scene<'_>, pool: &Pool) -> Option<(f64, Finding)> {
    let rows = scene.trace.rows_of(Some(pool.facts.pool));
    let workers = rows.len();
    let (mut count, mut lost, mut busy, mut at) = (0_u64, Nanos::ZERO, Nanos::ZERO, pool.opened);
    for row in rows.filter(|row| row.lanes.len() > 1) {
        let lanes = row.lanes.iter().filter_map(|&id| scene.trace.lane(id));
        let lanes: Vec<&Lane> = lanes.collect();
        busy += lanes.iter().map(|lane| lane.busy_until(scene.at)).sum();
        for pair in lanes.windows(2) {
            if let Some((since, until)) = replaced(scene, pair[0], pair[1]) {
                count += 1;
                lost += until.since(since);
                at = at.max(until);
            }
        }
    }
    let share = share_of(lost, lost + busy);
    if share < SHARE {
        return None;
    }
    let finding = Finding {
        kind: FindingKind::RestartCost,
        at,
        lane: None,
        call: None,
        text: format!(
            "{} retired and had to be replaced while there was work: {lost} of worker time passed until the new ones \
             began, {} of all; their tasks took {busy}",
            counted(count, "worker", "workers"),
            percent(share),
        ),
        advice: "raise maxtasksperchild (max_tasks_per_child), or leave it out".to_owned(),
        numbers: vec![
            ("restarts", count as f64),
            ("lost", lost.0 as f64),
            ("work", busy.0 as f64),
            ("share", share),
        ],
    };
    Some((lost.seconds() / workers.max(1) as f64, finding))
}

/// From when on a retired worker was wanted until its successor began its first task.
fn replaced(scene: Scene<'_>, before: &Lane, next: &Lane) -> Option<(Time, Time)> {
    let (_, ended) = before.closed?;
    let first = next.pieces().first()?;
    if ended != Ended::Retired || first.start > scene.at {
        return None;
    }
    let task = scene
        .trace
        .call_by(first.task.call)?
        .task(first.task.index)?;
    let last = before
        .pieces()
        .last()
        .map_or(before.opened, |piece| piece.end);
    let wanted = task.submitted.known().map_or(last, |sent| sent.max(last));
    (wanted < first.start).then_some((wanted, first.start))
}

#[cfg(test)]
mod tests {
    use super::super::told::Told;
    use super::*;
    use crate::event::Kind;

    /// A worker retires after a task of 100 ms and another goes on at `again`; called at 0.
    fn retired(again: u64) -> Told {
        let mut told = Told::pool("Pool", 1)
            .call(0, "map", 2, 1)
            .task(1, 0, 10, 110);
        let ended = Ended::Retired;
        told.tell(111, 1, Kind::LaneClosed { ended });
        told.replaced(150, 2).task(2, 1, again, again + 100)
    }

    #[test]
    fn workers_that_are_replaced_while_there_is_work_cost_their_start() {
        let found = retired(500).finding();
        assert_eq!(found.kind, FindingKind::RestartCost);
        found.says("1 worker retired and had to be replaced while there was work: 390 ms of worker time passed");
        assert!(found.advice.contains("maxtasksperchild"));
        assert_eq!(retired(150).ever(), []);
    }

    #[test]
    fn what_passes_until_the_next_call_is_no_cost_of_a_restart() {
        let mut told = Told::pool("Pool", 1)
            .called_again("apply", 0, 0)
            .task(1, 0, 10, 110);
        let ended = Ended::Retired;
        told.tell(111, 1, Kind::LaneClosed { ended });
        let told = told.replaced(150, 2).called_again("apply", 1, 5_000);
        assert_eq!(told.task(2, 1, 5_010, 5_110).ever(), []);
    }
}
