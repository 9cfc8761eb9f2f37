//! The figures of a simulated run as of a moment, counted from all of its events in the plainest way.

use parviz::event::{CallerState, Ended, Ends, Event, Kind, LaneKind, Outcome, RunBegan};
use parviz::time::Time;
use std::collections::BTreeMap;

/// A name and a value; `None` where it is not defined.
pub(crate) type Figure = (&'static str, Option<f64>);

/// What a run tells, whenever it was.
pub(crate) struct Recount<'a> {
    /// In order.
    events: Vec<&'a Event>,
    run: &'a RunBegan,
    tasks: u32,
    chunksize: Option<u32>,
    /// The lanes of each worker, one after another.
    rows: Vec<Vec<Worker>>,
    works: BTreeMap<u32, Work>,
    ended: Option<(u64, Ends)>,
}

struct Worker {
    lane: u32,
    opened: u64,
    closed: Option<(u64, Ended)>,
}

/// One task on its worker.
#[derive(Clone, Default)]
struct Work {
    lane: u32,
    started: Option<u64>,
    finished: Option<u64>,
    /// Begin, end, on a CPU, waiting for one, asked-for wait.
    stretches: Vec<[u64; 5]>,
}

impl Work {
    fn service(&self) -> Option<u64> {
        Some(self.finished? - self.started?)
    }

    /// What it would have needed alone, and how much of that on a CPU.
    fn need(&self) -> (u64, u64) {
        let on_cpu: u64 = self.stretches.iter().map(|stretch| stretch[2]).sum();
        let waits: u64 = self.stretches.iter().map(|stretch| stretch[4]).sum();
        (on_cpu + waits, on_cpu)
    }
}

impl<'a> Recount<'a> {
    pub(crate) fn of(all: &'a [Event]) -> Self {
        let mut events: Vec<&Event> = all.iter().collect();
        events.sort_by_key(|event| (event.at, event.lane));
        let mut named: BTreeMap<&str, Vec<Worker>> = BTreeMap::new();
        let mut works: BTreeMap<u32, Work> = BTreeMap::new();
        let (mut run, mut tasks, mut chunksize, mut ended) = (None, 0, None, None);
        for Event { at, lane, kind } in &events {
            match kind {
                Kind::RunBegan(facts) => run = Some(facts.as_ref()),
                Kind::CallBegan(call) => (tasks, chunksize) = (call.tasks.unwrap(), call.chunksize),
                Kind::LaneOpened(facts) if facts.kind == LaneKind::Worker => {
                    let (lane, opened, closed) = (lane.0, at.0, None);
                    named.entry(&facts.name).or_default().push(Worker {
                        lane,
                        opened,
                        closed,
                    });
                }
                Kind::LaneClosed { ended } => {
                    let mut workers = named.values_mut().flatten();
                    if let Some(worker) = workers.find(|worker| worker.lane == lane.0) {
                        worker.closed = Some((at.0, *ended));
                    }
                }
                Kind::Started { task, .. } => {
                    let work = works.entry(task.index).or_default();
                    (work.lane, work.started) = (lane.0, Some(at.0));
                }
                Kind::Ran(ran) => works.entry(ran.task.index).or_default().stretches.push([
                    ran.since.0,
                    at.0,
                    ran.on_cpu.0,
                    ran.waiting.0,
                    ran.useful_wait.0,
                ]),
                Kind::Finished { task, .. } => {
                    works.entry(task.index).or_default().finished = Some(at.0);
                }
                Kind::RunEnded { ends } => ended = Some((at.0, *ends)),
                _ => {}
            }
        }
        Self {
            run: run.unwrap(),
            rows: named.into_values().collect(),
            events,
            tasks,
            chunksize,
            works,
            ended,
        }
    }

    fn until(&self, at: u64) -> impl Iterator<Item = (u64, &Kind)> {
        let events = self.events.iter();
        events
            .map(|event| (event.at.0, &event.kind))
            .filter(move |event| event.0 <= at)
    }

    fn ended(&self, at: u64) -> Option<(u64, Ends)> {
        self.ended.filter(|ended| ended.0 <= at)
    }

    fn makespan(&self, at: u64) -> Option<u64> {
        let mut ready = Vec::new();
        for (at, kind) in self.until(at) {
            if let Kind::Ready { tasks, .. } = kind {
                ready.extend(tasks.iter().map(|_| at));
            }
        }
        let has_result =
            |ends| matches!(ends, Ends::Returned | Ends::Error | Ends::BrokenProcessPool);
        let over = self.ended(at).is_some_and(|(_, ends)| has_result(ends));
        let last = ready.iter().copied().max();
        last.filter(|_| over || ready.len() == self.tasks as usize)
    }

    /// Time that a worker was in tasks up to a moment.
    fn busy(&self, row: &[Worker], to: u64) -> u64 {
        row.iter()
            .flat_map(|worker| self.on(worker))
            .map(|(start, end)| end.min(to).saturating_sub(start))
            .sum()
    }

    /// When a worker was in which task, in order.
    fn on(&self, worker: &Worker) -> Vec<(u64, u64)> {
        let closed = worker.closed.map_or(u64::MAX, |closed| closed.0);
        let works = self.works.values().filter(|work| work.lane == worker.lane);
        let mut spans: Vec<(u64, u64)> = works
            .filter_map(|work| Some((work.started?, work.finished.unwrap_or(closed))))
            .collect();
        spans.sort_unstable();
        spans
    }

    /// How fast it was, and what the main program saw of it.
    pub(crate) fn pace(&self, at: Time) -> Vec<Figure> {
        let at = at.0;
        let (makespan, ended) = (self.makespan(at), self.ended(at));
        let workers = self.rows.len() as f64;
        let over = makespan.or(ended.map(|ended| ended.0));
        let whole = over
            .map(|over| over as f64 * workers)
            .filter(|&whole| whole > 0.0);
        let busy: Vec<u64> = self
            .rows
            .iter()
            .map(|row| self.busy(row, over.unwrap_or(0)))
            .collect();
        let (sum, most) = (busy.iter().sum::<u64>() as f64, busy.iter().max().copied());
        let ran = || self.works.values().filter(|work| work.service().is_some());
        let needs: Vec<(u64, u64)> = ran().map(Work::need).collect();
        let serial = over.filter(|_| !needs.is_empty());
        let need: u64 = needs.iter().map(|need| need.0).sum();
        let on_cpu: u64 = needs.iter().map(|need| need.1).sum();
        let longest = needs.iter().map(|need| need.0).max().unwrap_or(0);
        let serial = serial.map(|_| (self.run.serial.0 + need) as f64);
        let goes_on = makespan.is_some_and(|makespan| {
            let ends = self.works.values().filter_map(|work| work.finished);
            ends.max().is_some_and(|last| last > makespan)
        });
        let broken = ended.is_some_and(|(_, ends)| ends == Ends::BrokenProcessPool);
        let compared = makespan.filter(|&makespan| makespan > 0 && !goes_on && !broken);
        let speedup = serial
            .zip(compared)
            .map(|(serial, makespan)| serial / makespan as f64);
        let cpus = match self.run.cpus {
            _ if self.run.gil => 1.0,
            cpus => f64::from(cpus.unwrap()).min(workers),
        };
        let shared = (need as f64 / workers)
            .ceil()
            .max((on_cpu as f64 / cpus).ceil());
        let bound = self.run.serial.0 as f64 + shared.max(longest as f64);
        let measured = whole.filter(|_| makespan.is_some());
        vec![
            ("makespan", makespan.map(|makespan| makespan as f64)),
            ("serial_time", serial),
            ("speedup", speedup),
            ("efficiency", speedup.map(|speedup| speedup / workers)),
            ("utilisation", measured.map(|whole| sum / whole)),
            (
                "imbalance",
                over.zip(most)
                    .filter(|_| sum > 0.0)
                    .map(|(_, most)| most as f64 / (sum / workers)),
            ),
            ("not_computing", measured.map(|whole| (whole - sum) / whole)),
            (
                "karp_flatt",
                speedup
                    .filter(|&speedup| workers > 1.0 && speedup > 0.0)
                    .map(|speedup| (1.0 / speedup - 1.0 / workers) / (1.0 - 1.0 / workers)),
            ),
            (
                "lower_bound",
                over.filter(|_| need > 0 && !goes_on).map(|_| bound),
            ),
            ("blocked_main", Some(self.blocked(at) as f64)),
            ("program_end", self.program_end(at)),
        ]
    }

    fn states(&self) -> impl Iterator<Item = (u64, CallerState)> {
        self.until(u64::MAX).filter_map(|(at, kind)| match kind {
            Kind::Caller { state } => Some((at, *state)),
            _ => None,
        })
    }

    fn blocked(&self, at: u64) -> u64 {
        let ends = self.states().skip(1).map(|next| next.0).chain([u64::MAX]);
        self.states()
            .zip(ends)
            .filter(|((_, state), _)| matches!(state, CallerState::Blocked(_)))
            .map(|((begin, _), end)| end.min(at).saturating_sub(begin))
            .sum()
    }

    fn program_end(&self, at: u64) -> Option<f64> {
        let (done, _) = self.states().find(|state| state.1 == CallerState::Done)?;
        let never = self.ended(at).is_some_and(|(_, ends)| ends == Ends::Never);
        (done <= at && !never).then_some(done as f64)
    }

    /// The order in which tasks finished, against that of their submission.
    pub(crate) fn orders(&self, at: Time) -> Vec<Figure> {
        let mut ended: Vec<(u64, u32)> = self
            .until(at.0)
            .filter_map(|(at, kind)| match kind {
                Kind::Finished {
                    task,
                    outcome: Outcome::Ok | Outcome::Failed,
                    ..
                } => Some((at, task.index)),
                _ => None,
            })
            .collect();
        // Of tasks that end at one moment none is the first.
        ended.sort_unstable();
        let order: Vec<u32> = ended.into_iter().map(|(_, index)| index).collect();
        let count = order.len() as f64;
        let before = |place: usize| order[..place].iter();
        let places = || (0..order.len()).map(|place| (place, order[place]));
        let inversions: usize = places()
            .map(|(place, index)| before(place).filter(|&&other| other > index).count())
            .sum();
        let reordered = places()
            .filter(|&(place, index)| before(place).max() > Some(&index))
            .count();
        vec![
            (
                "kendall_tau",
                (count >= 2.0).then(|| 1.0 - 4.0 * inversions as f64 / (count * (count - 1.0))),
            ),
            (
                "reordered_ratio",
                (count >= 1.0).then(|| reordered as f64 / count),
            ),
        ]
    }

    /// Where the time of the workers went, in nanoseconds.
    pub(crate) fn shares(&self, at: Time) -> [f64; 9] {
        let over = self.makespan(at.0).or(self.ended.map(|ended| ended.0));
        let to = at.0.min(over.unwrap_or(u64::MAX));
        let mut shares = Shares::default();
        for row in &self.rows {
            let mut done = 0;
            for (turn, worker) in row.iter().enumerate() {
                let opened = worker.opened.min(to);
                let gap = (opened.saturating_sub(done)) as f64;
                *(if turn == 0 {
                    &mut shares.overhead
                } else {
                    &mut shares.dead
                }) += gap;
                done = done.max(opened);
                let closed = worker.closed.map_or(to, |closed| closed.0.min(to));
                if closed > done {
                    self.stretch(worker, (done, closed), to, &mut shares);
                    done = closed;
                }
            }
            let last = row.last().and_then(|worker| worker.closed);
            let died =
                last.is_some_and(|(_, ended)| matches!(ended, Ended::Killed | Ended::Crashed));
            *(if died {
                &mut shares.dead
            } else {
                &mut shares.idle
            }) += (to - done) as f64;
        }
        let Shares {
            spent: [on_cpu, useful_wait, waiting, blocked, unknown],
            overhead,
            starved,
            idle,
            dead,
        } = shares;
        [
            on_cpu,
            useful_wait,
            waiting,
            blocked,
            overhead,
            starved,
            idle,
            dead,
            unknown,
        ]
    }

    /// Splits the time in which a worker lived.
    fn stretch(&self, worker: &Worker, (from, end): (u64, u64), to: u64, shares: &mut Shares) {
        self.inside(worker.lane, end, &mut shares.spent);
        let tasks = self.on(worker);
        let busy: u64 = tasks
            .iter()
            .map(|&(start, over)| over.min(end).saturating_sub(start))
            .sum();
        let known: f64 = self.accounted(worker.lane, end);
        shares.spent[4] += busy as f64 - known;
        let others: Vec<(u64, u64)> = self
            .events
            .iter()
            .filter(|event| event.lane.0 == worker.lane)
            .filter_map(|event| match &event.kind {
                Kind::Span(span) => Some((span.since.0, event.at.0)),
                _ => None,
            })
            .collect();
        let dispatched = self.dispatched(to);
        let runs = tasks
            .iter()
            .any(|&(start, over)| start <= end && end < over);
        let ends = tasks.iter().filter(|task| task.0 < end).chain(&others);
        let last = ends
            .map(|end| end.1)
            .filter(|&at| at <= end)
            .max()
            .unwrap_or(from);
        // The moments at which anything changes; between two of them all is the same.
        let mut moments: Vec<u64> = [from, end, dispatched, last].to_vec();
        moments.extend(
            tasks
                .iter()
                .chain(&others)
                .flat_map(|&(start, over)| [start, over]),
        );
        moments.retain(|moment| (from..=end).contains(moment));
        moments.sort_unstable();
        for pair in moments.windows(2) {
            let (begin, length) = (pair[0], (pair[1] - pair[0]) as f64);
            let within = |spans: &[(u64, u64)]| {
                spans
                    .iter()
                    .any(|&(start, over)| start <= begin && begin < over)
            };
            if within(&tasks) {
                continue;
            }
            let part = if within(&others) {
                &mut shares.overhead
            } else if begin < dispatched {
                &mut shares.starved
            } else if begin >= last && !runs {
                &mut shares.idle
            } else {
                &mut shares.overhead
            };
            *part += length;
        }
    }

    /// What is known of the time inside tasks, a stretch being spent evenly.
    fn inside(&self, lane: u32, end: u64, spent: &mut [f64; 5]) {
        for ([start, over, on_cpu, waiting, useful], done) in self.parts(lane, end) {
            let length = (over - start).max(1) as f64;
            let rest = length - (on_cpu + waiting + useful) as f64;
            let parts = [on_cpu as f64, useful as f64, waiting as f64, rest.max(0.0)];
            for (sum, part) in spent.iter_mut().zip(parts) {
                *sum += part * done as f64 / length;
            }
        }
    }

    fn accounted(&self, lane: u32, end: u64) -> f64 {
        self.parts(lane, end).map(|(_, done)| done as f64).sum()
    }

    /// The stretches of tasks on a lane, and how much of each lies before a moment.
    fn parts(&self, lane: u32, end: u64) -> impl Iterator<Item = ([u64; 5], u64)> {
        let works = self.works.values().filter(move |work| work.lane == lane);
        works
            .flat_map(|work| work.stretches.iter().copied())
            .map(move |stretch| (stretch, stretch[1].min(end).saturating_sub(stretch[0])))
            .filter(|(stretch, _)| stretch[0] < stretch[1])
    }

    /// Up to when tasks were still to be sent.
    fn dispatched(&self, to: u64) -> u64 {
        let sends = self.until(to).filter_map(|(at, kind)| match kind {
            Kind::Enqueued { chunks, .. } => Some((at, chunks.len())),
            _ => None,
        });
        let sends: Vec<(u64, u32)> = sends.collect();
        let count: u32 = sends.iter().map(|send| send.1).sum();
        let all = self.chunksize.map(|size| self.tasks.div_ceil(size));
        let last = sends.last().map(|send| send.0);
        last.filter(|_| all == Some(count)).unwrap_or(to)
    }
}

/// In tasks: on a CPU, asked-for wait, waiting for a CPU, blocked, unknown; and outside them.
#[derive(Default)]
struct Shares {
    spent: [f64; 5],
    overhead: f64,
    starved: f64,
    idle: f64,
    dead: f64,
}
