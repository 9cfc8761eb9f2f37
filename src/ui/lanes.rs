//! The lanes of workers or CPUs: who runs what, when, and with how much of a CPU.
//!
//! A lane has up to four rows of cells. Where lanes do not fit two share a row, and beyond that they
//! scroll. Height is the share of a CPU a task got, so a picture tells the same without colour.

pub mod boxes;
pub mod columns;
mod gutter;
pub mod moved;
pub mod pairs;
pub mod source;
mod track;

use ratatui::layout::Rect;

use super::Moment;
use super::axis::Axis;
use super::hues::{self, Hues};
use super::text::{Pen, clipped, width};
use crate::app::Lanes;
use crate::app::selection::{self, Selection};
use crate::bytes;
use crate::definition::percent;
use crate::event::{Ended, Outcome, RESIDENT};
use crate::time::{Span, Time};
use crate::trace::{Lane, Piece, Trace};
use boxes::{Painter, Place};
use columns::columns;
use gutter::{STATE, headings, share, state};
use source::{LOOKED_AT, Source};
use track::{Track, track};

/// Columns left of the time axis.
pub const GUTTER: u16 = 11;

/// How lanes are laid into an area.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grid {
    pub of: Lanes,
    /// Rows of cells a lane has; 0: two lanes share a row.
    pub rows: u16,
    /// The lane at the top.
    pub first: usize,
}

impl Grid {
    /// How many lanes an area of this height shows.
    pub fn lanes(self, height: u16) -> usize {
        match self.rows {
            0 => usize::from(height) * 2,
            rows => usize::from(height / rows),
        }
    }

    /// The lane at this row of the area, counted from its top.
    pub fn lane_at(self, row: u16) -> usize {
        self.first
            + match self.rows {
                0 => usize::from(row) * 2,
                rows => usize::from(row / rows),
            }
    }
}

/// Says, right of the time axis, how many lanes are in sight where not all are.
pub fn scrolled(moment: &Moment<'_>, grid: Grid, height: u16, y: u16, pen: &mut Pen<'_>) {
    let all = selection::rows(moment.trace, grid.of);
    let shown = grid.lanes(height);
    if shown < all {
        let x = moment.axis.right() + 1;
        let few = format!("{shown} of {all}");
        let words = format!("{few} lanes");
        let fits = x + width(&words) <= pen.buffer.area.right();
        pen.text(x, y, if fits { &words } else { &few }, pen.theme.wait);
    }
}

/// Draws the lanes that fit into the area, its gutters included.
pub fn render(
    moment: &Moment<'_>,
    grid: Grid,
    selection: Selection,
    area: Rect,
    pen: &mut Pen<'_>,
) {
    let last = selection::rows(moment.trace, grid.of).min(grid.first + grid.lanes(area.height));
    if grid.rows == 0 {
        for (row, first) in (grid.first..last).step_by(2).enumerate() {
            let y = area.y + row as u16;
            pair(moment, grid.of, first, selection, area, y, pen);
        }
        return;
    }
    headings(moment, area, pen);
    // In the one row there is, short names make room for the memory, in the whole column.
    let is_short = grid.rows == 1 && grid.of == Lanes::Workers && tells_memory(moment.trace);
    for (row, index) in (grid.first..last).enumerate() {
        let place = Place {
            x: moment.axis.x,
            y: area.y + row as u16 * grid.rows,
            rows: grid.rows,
        };
        if let Some(mut track) = track(moment, grid.of, index) {
            if is_short && !track.short.contains(':') {
                track.name = format!("w{}", track.short);
            }
            let selected = (selection.row == Some(index)).then_some(selection);
            one(moment, &track, place, selected, area, pen);
        }
    }
}

fn pair(
    moment: &Moment<'_>,
    of: Lanes,
    first: usize,
    selection: Selection,
    area: Rect,
    y: u16,
    pen: &mut Pen<'_>,
) {
    let theme = pen.theme;
    let hues = Hues::new(theme, moment.trace);
    let lanes = selection::rows(moment.trace, of);
    let tracks = [first, first + 1].map(|index| {
        let track = (index < lanes).then(|| track(moment, of, index));
        track.flatten()
    });
    let drawn = tracks.each_ref().map(|track| {
        track.as_ref().map_or_else(Vec::new, |track| {
            columns(&track.sources, moment.axis, moment.cursor, moment.shown())
        })
    });
    let is_here = |lane: usize| selection.row == Some(first + lane);
    let task = selection
        .task
        .map(|task| hues::number(task, moment.shown()));
    let chosen = [0, 1].map(|lane| task.filter(|_| is_here(lane)));
    pairs::render(
        pen,
        hues,
        (moment.axis.x, y),
        [&drawn[0], &drawn[1]],
        chosen,
    );
    let [Some(upper), lower] = &tracks else {
        return;
    };
    // Of a chosen lane its own name.
    let names = match lower {
        Some(lower) if is_here(1) => lower.short.clone(),
        Some(lower) if !is_here(0) => format!("{}{}{}", upper.short, theme.glyphs.dot, lower.short),
        _ => upper.short.clone(),
    };
    let label = match of {
        Lanes::Workers if upper.short.contains(':') => names,
        Lanes::Workers => format!("w {names}"),
        Lanes::Cpus => format!("cpu {names}"),
    };
    if is_here(0) || is_here(1) {
        let label = clipped(&label, GUTTER - 2, theme.glyphs.grows);
        pen.text(area.x, y, theme.glyphs.here, theme.now);
        pen.bold(area.x + 1, y, &label, theme.now);
    } else {
        pen.text_within(area.x + 1, y, GUTTER - 2, &label, theme.dim);
    }
    let mut x = moment.axis.right() + 1;
    for track in tracks.iter().flatten() {
        let end = state(moment, track, hues, (x, y), pen);
        x = (x + 5).max(end + 1);
    }
}

fn one(
    moment: &Moment<'_>,
    track: &Track<'_>,
    place: Place,
    selected: Option<Selection>,
    area: Rect,
    pen: &mut Pen<'_>,
) {
    let theme = pen.theme;
    let hues = Hues::new(theme, moment.trace);
    let y = place.bottom();
    let memory = memory(moment, track);
    let name = match memory {
        Some(memory) if place.rows < 2 => format!("{} {}", track.name, bytes::short(memory)),
        _ => track.name.clone(),
    };
    if let Some(memory) = memory.filter(|_| place.rows > 1) {
        let words = bytes::words(memory);
        pen.text_within(area.x + 1, y - 1, GUTTER - 2, &words, theme.dim);
    }
    let name = clipped(&name, GUTTER - 2, theme.glyphs.grows);
    if selected.is_some() {
        pen.text(area.x, y, theme.glyphs.here, theme.now);
        pen.bold(area.x + 1, y, &name, theme.now);
    } else {
        let several = moment.trace.is_program() && moment.trace.pools().len() > 1;
        match (several && track.row.is_some(), track.counts) {
            (true, true) => pen.bold(area.x + 1, y, &name, theme.text),
            (true, false) => pen.text(area.x + 1, y, &name, theme.dim),
            (false, _) => pen.text(area.x + 1, y, &name, theme.text),
        };
    }
    let axis = moment.axis;
    let columns = columns(&track.sources, axis, moment.cursor, moment.shown());
    let mut painter = Painter { pen, hues, place };
    painter.boxes(&columns);
    for source in &track.sources {
        if let Source::Cpu(cpu) = source {
            moved::render(moment, cpu, &columns, place, painter.pen);
        }
    }
    painter.numbers(&columns);
    let deaths = deaths(moment, track);
    for death in &deaths {
        painter.dead(death.from, death.to);
    }
    // Words come last, where no mark needs their cells.
    let mut notes = died_here(moment, &deaths, &mut painter);
    notes.extend(marks(moment, track, &mut painter));
    for Note { column, words } in &notes {
        painter.note(*column, axis.right(), words);
    }
    // Where the cursor is out of sight there is no edge to be seen.
    let edge = axis.eighth(moment.cursor);
    let is_in_sight = axis.span.start() <= moment.cursor && edge < u32::from(axis.width) * 8;
    if is_in_sight && !moment.is_over() && track.now.is_some() {
        painter.hot_edge(edge, &columns);
    }
    if let Some(task) = selected.and_then(|selection| selection.task) {
        painter.select(hues::number(task, moment.shown()), &columns);
    }
    let x = axis.right() + 1;
    let end = state(moment, track, hues, (x, y), pen);
    if let Some(share) = share(moment, track).filter(|_| track.counts) {
        let words = format!("{:>5}", percent(share));
        let blank = words.len() - words.trim_start().len();
        // A long word for the state leaves no room for all of it.
        if x + STATE + blank as u16 > end {
            pen.text(x + STATE, y, &words, theme.dim);
        }
    }
}

/// Whether any worker has told how much memory it has of its own.
fn tells_memory(trace: &Trace) -> bool {
    trace.tells(RESIDENT)
}

/// The memory that the worker of this lane had resident when it last looked, where it has memory of its own.
fn memory(moment: &Moment<'_>, track: &Track<'_>) -> Option<u64> {
    let samples = moment.trace.samples(track.here?.id, RESIDENT);
    let told = samples.partition_point(|sample| sample.0 <= moment.cursor);
    let (_, value) = samples[..told].last()?;
    Some(*value as u64)
}

/// When the worker of a lane died, if it did.
fn died(lane: &Lane) -> Option<Time> {
    match lane.closed {
        Some((at, Ended::Killed | Ended::Crashed)) => Some(at),
        _ => None,
    }
}

/// What ended a worker that died, in a word: itself, somebody, or the executor that broke of another's death. A
/// thread cannot be killed.
fn death(trace: &Trace, lane: &Lane) -> &'static str {
    match (lane.exit, lane.closed) {
        (Some(0..), _) => "crashed",
        _ if trace.is_of_threads(lane.facts.pool) || trace.is_ended_by_pool(lane) => "ended",
        (None, Some((_, Ended::Crashed))) => "crashed",
        _ => "killed",
    }
}

/// A worker of a lane that died, and the columns in which nobody was there then: until the next worker, or the
/// cursor.
struct Death<'a> {
    lane: &'a Lane,
    at: Time,
    from: u16,
    to: u16,
}

/// Those of a lane that can be seen in the stretch of the axis.
fn deaths<'a>(moment: &Moment<'a>, track: &Track<'a>) -> Vec<Death<'a>> {
    let Some(row) = track.row else {
        return Vec::new();
    };
    let (run, axis, cursor) = (moment.trace, moment.axis, moment.cursor);
    let until = axis.eighth(cursor);
    // A death before the last of those that had opened left of the axis was made good there.
    let first = run.opened_by(row, axis.span.start()).len();
    let opened = run.opened_by(row, cursor.min(axis.span.end())).len();
    let places = first.saturating_sub(1)..opened;
    let death = |place: usize| {
        let lane = |place: usize| run.lane(*row.lanes.get(place)?);
        let at = died(lane(place)?)?;
        let next = lane(place + 1);
        let to = next.map_or(until, |next| axis.eighth(next.opened).min(until));
        Some(Death {
            lane: lane(place)?,
            at,
            from: axis.eighth(at).div_ceil(8) as u16,
            to: (to / 8) as u16,
        })
    };
    places.filter_map(death).collect()
}

/// Words that belong to a mark, and the column behind it.
struct Note {
    column: u16,
    words: String,
}

/// Marks where workers died, whether they had a task or not.
fn died_here(
    moment: &Moment<'_>,
    deaths: &[Death<'_>],
    painter: &mut Painter<'_, '_, '_>,
) -> Vec<Note> {
    let mut notes = Vec::new();
    let (axis, glyphs) = (moment.axis, painter.pen.theme.glyphs);
    let seen = |death: &&Death<'_>| {
        let on_axis = axis.span.start() <= death.at && death.at <= axis.span.end();
        on_axis && death.at <= moment.cursor
    };
    let mut before = None;
    for death in deaths.iter().filter(seen) {
        let column = last_column(axis, death.at);
        if before.replace(column) == Some(column) {
            continue;
        }
        painter.mark(column, glyphs.lost);
        notes.push(Note {
            column: column + 1,
            words: self::death(moment.trace, death.lane).to_owned(),
        });
    }
    notes
}

/// The column in which something ends.
fn last_column(axis: Axis, end: Time) -> u16 {
    (axis.eighth(end).saturating_sub(1) / 8) as u16
}

/// Marks the boxes whose task failed, with a word where there is room.
fn marks(moment: &Moment<'_>, track: &Track<'_>, painter: &mut Painter<'_, '_, '_>) -> Vec<Note> {
    let mut notes = Vec::new();
    if !moment.trace.has_bad_ends(moment.cursor) {
        return notes;
    }
    let glyphs = painter.pen.theme.glyphs;
    for source in &track.sources {
        let Source::Worker(lane) = source else {
            continue;
        };
        for piece in ends_in(moment, lane) {
            let Some(call) = moment.trace.call_by(piece.task.call) else {
                continue;
            };
            let index = piece.task.index;
            let column = last_column(moment.axis, piece.end);
            let failed = call.outcome_at(index, moment.cursor) == Some(Outcome::Failed);
            if failed && call.ran(index).1 == piece.end {
                painter.mark(column, glyphs.failed);
                let chunk = call.chunk(call.chunk_of(index));
                let end = chunk.map_or(0, |chunk| chunk.tasks.end);
                let rest = end.saturating_sub(index + 1);
                if rest > 0 {
                    notes.push(Note {
                        column: column + 1,
                        words: format!("{rest} skipped"),
                    });
                }
            }
        }
    }
    notes
}

/// The pieces that ended on the axis up to the cursor, as many as there can be marks.
fn ends_in(moment: &Moment<'_>, lane: &Lane) -> impl Iterator<Item = Piece> {
    let (axis, cursor) = (moment.axis, moment.cursor);
    let mut walk = lane.walk();
    let (first, last) = (lane.pieces().first(), lane.pieces().last());
    let had = first.zip(last).map(|(first, last)| (first.start, last.end));
    let stretches = had.map(|(start, end)| axis.stretches_in(Span::new(start, end)));
    stretches.into_iter().flatten().flat_map(move |stretch| {
        let pieces = walk.pieces_in(stretch).iter().take(LOOKED_AT);
        pieces.filter(move |piece| {
            piece.end <= cursor && stretch.start() < piece.end && piece.end <= stretch.end()
        })
    })
}

#[cfg(test)]
mod tests;
