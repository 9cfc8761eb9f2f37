//! Main's lane: what it did in each column, with its name where there is room.

use super::word;
use crate::event::{CALLER_ON_CPU, CallerState};
use crate::palette::Ink;
use crate::time::{Nanos, Span, Time};
use crate::trace::{CallerTrace, Trace};
use crate::ui::Moment;
use crate::ui::text::{Pen, width};

/// States of one column that are looked at one by one.
const LOOKED_AT: usize = 48;

/// A main program that was on a CPU for less of a stretch does no work: it waits, and nobody tells for what.
pub(super) const IDLE: f64 = 0.05;

/// What main did most of the time in this stretch, if it did anything for half of it. Where it did very much,
/// what it did first stands for all of it; how long it was blocked is exact.
fn mostly(caller: &CallerTrace, stretch: Span, cursor: Time) -> Option<CallerState> {
    let now = Span::new(stretch.start(), stretch.end().min(cursor));
    let mut sums: Vec<(CallerState, u64)> = Vec::new();
    let mut states = caller.states_in(now);
    for (span, state) in states.by_ref().take(LOOKED_AT) {
        let part = span.overlap(now).0;
        match sums.iter_mut().find(|(of, _)| *of == state) {
            Some((_, sum)) => *sum += part,
            None => sums.push((state, part)),
        }
    }
    if states.next().is_some() {
        stand_for_all(&mut sums, now.length().0, caller.blocked_in(now).0);
    }
    sums.retain(|(state, _)| *state != CallerState::Done);
    let all: u64 = sums.iter().map(|(_, sum)| sum).sum();
    let (state, _) = sums.into_iter().max_by_key(|(_, sum)| *sum)?;
    (all * 2 >= stretch.length().0).then_some(state)
}

/// Makes the sums of a sample add up to all, of which so much was spent blocked.
fn stand_for_all(sums: &mut [(CallerState, u64)], all: u64, blocked: u64) {
    let is_blocked = |state| matches!(state, CallerState::Blocked(_));
    let seen = |of: bool| {
        let sums = sums.iter().filter(|(state, _)| is_blocked(*state) == of);
        sums.map(|(_, sum)| sum).sum::<u64>().max(1)
    };
    let parts = [all.saturating_sub(blocked), blocked];
    let [rest, waits] =
        [(false, parts[0]), (true, parts[1])].map(|(of, part)| part as f64 / seen(of) as f64);
    for (state, sum) in sums {
        let scale = if is_blocked(*state) { waits } else { rest };
        *sum = (*sum as f64 * scale) as u64;
    }
}

/// The share of a stretch that main was on a CPU, where that was asked.
pub(super) fn on_cpu(moment: &Moment<'_>, stretch: Span) -> Option<f64> {
    let lane = moment.trace.caller()?.lane;
    let (used, known) = moment.trace.growth(lane, CALLER_ON_CPU, stretch)?;
    Some((used / known.0.max(1) as f64).min(1.0))
}

/// What main did in a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::ui) enum Doing {
    Is(CallerState),
    /// Work before the call, which no worker takes part in.
    Serial,
    /// It hardly was on a CPU although no pool kept it.
    WaitsElsewhere,
}

/// The same and the share of a CPU that it got for it.
type Column = (Option<Doing>, f64);

/// Whether own work of main at this moment is the serial part of the run.
pub(super) fn is_serial(trace: &Trace, at: Time) -> bool {
    let has_serial = trace.run().is_some_and(|run| run.serial > Nanos::ZERO);
    has_serial && trace.call().is_none_or(|call| at < call.began)
}

/// Draws what main did into the row `y`.
pub(super) fn render(moment: &Moment<'_>, y: u16, pen: &mut Pen<'_>) {
    let Some(caller) = moment.trace.caller() else {
        return;
    };
    let axis = moment.axis;
    let columns = (axis.x..axis.right()).map(|x| column(moment, caller, axis.stretch(x)));
    let columns: Vec<Column> = columns.collect();
    let mut x = axis.x;
    for run in columns.chunk_by(|one, other| one.0 == other.0) {
        if let Some(doing) = run[0].0 {
            let shares: Vec<f64> = run.iter().map(|column| column.1).collect();
            band(doing, (x, y), &shares, pen);
        }
        x += run.len() as u16;
    }
}

fn column(moment: &Moment<'_>, caller: &CallerTrace, stretch: Span) -> Column {
    let happened = moment.cursor > stretch.start();
    let state = happened.then(|| mostly(caller, stretch, moment.cursor));
    match state.flatten() {
        Some(CallerState::OwnWork) => {
            let share = on_cpu(moment, stretch).unwrap_or(1.0);
            let doing = if share < IDLE {
                Doing::WaitsElsewhere
            } else if is_serial(moment.trace, stretch.start()) {
                Doing::Serial
            } else {
                Doing::Is(CallerState::OwnWork)
            };
            (Some(doing), share)
        }
        state => (state.map(Doing::Is), 1.0),
    }
}

/// A stretch of one kind, with its name at its begin where there is room: there it stays while the
/// stretch grows. Work is as high in each column as its share of a CPU.
pub(in crate::ui) fn band(doing: Doing, at: (u16, u16), shares: &[f64], pen: &mut Pen<'_>) {
    let theme = pen.theme;
    let glyphs = theme.glyphs;
    let (glyph, ink, ground) = match doing {
        Doing::Is(CallerState::Blocked(_)) => (glyphs.main_blocked, theme.wait, theme.background),
        Doing::Is(CallerState::OwnWork) if !theme.is_ascii() => {
            (glyphs.main_works, theme.on(theme.dim), theme.dim)
        }
        Doing::Is(CallerState::OwnWork) => (glyphs.main_works, theme.dim, theme.background),
        Doing::Serial => (glyphs.main_serial, theme.dim, theme.background),
        Doing::WaitsElsewhere => (glyphs.bars[1], theme.dim, theme.background),
        Doing::Is(_) => (glyphs.rule, theme.faint, theme.background),
    };
    let is_work = matches!(doing, Doing::Serial | Doing::Is(CallerState::OwnWork));
    let mut is_full = true;
    for (x, share) in (at.0..).zip(shares) {
        match (share * 8.0).round() as usize {
            eighths @ ..8 if is_work => {
                is_full = false;
                let bar = glyphs.bars[eighths.max(1)];
                pen.cell(x, at.1, bar, theme.dim, theme.background);
            }
            _ => pen.cell(x, at.1, glyph, ink, ground),
        }
    }
    let ground = if is_full { ground } else { theme.background };
    name(doing, at, shares.len() as u16, ground, pen);
}

/// Names a stretch of so many columns. Behind the first of them and a space, so that it stands where it stood
/// before the stretch was longer.
fn name(doing: Doing, at: (u16, u16), columns: u16, ground: Ink, pen: &mut Pen<'_>) {
    let theme = pen.theme;
    let names: [String; 2] = match doing {
        Doing::Is(CallerState::Blocked(call)) => {
            [format!("blocked in {}", call.word()), "blocked".to_owned()]
        }
        Doing::Is(CallerState::RunsTasks) => ["runs the tasks", "runs tasks"].map(str::to_owned),
        Doing::Is(CallerState::Starting) => ["starting", "starts"].map(str::to_owned),
        Doing::Is(state) => [word(state), word(state)].map(str::to_owned),
        Doing::Serial => ["serial work", "serial"].map(str::to_owned),
        Doing::WaitsElsewhere => ["waits elsewhere", "waits"].map(str::to_owned),
    };
    let [long, short] = names;
    let (name, end) = if width(&long) + 4 <= columns {
        (long, " ")
    } else if width(&short) + 2 <= columns {
        let is_cut = width(&short) + 2 == columns;
        (short, if is_cut { "" } else { " " })
    } else {
        return;
    };
    let words = format!(" {name}{end}");
    if ground == theme.background {
        pen.bold(at.0 + 1, at.1, &words, theme.text);
    } else {
        pen.bold_on(at.0 + 1, at.1, &words, theme.on(ground), ground);
    }
}
