//! How a length of time is spread over tasks: a histogram with its median, 95th percentile and maximum.

use hdrhistogram::Histogram;
use ratatui::layout::Rect;

use super::text::{self, Pen};
use crate::time::{Nanos, Time};
use crate::trace::{Call, Entry, Task};

/// Tasks that are looked at; of more, every so many.
const LOOKED_AT: usize = 100_000;

/// One of the three lengths that every task has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Length {
    Wait,
    Service,
    Hold,
}

impl Length {
    pub const ALL: [Self; 3] = [Self::Wait, Self::Service, Self::Hold];

    /// What it is called, and between which moments it lies.
    fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Wait => ("wait", "submission to start"),
            Self::Service => ("service", "start to finish"),
            Self::Hold => ("hold", "finish to ready"),
        }
    }

    fn of(self, task: &Task) -> Option<Nanos> {
        match self {
            Self::Wait => task.wait(),
            Self::Service => task.service(),
            Self::Hold => task.hold(),
        }
    }

    /// The tasks that had this length as of a moment.
    fn tasks(self, call: &Call, at: Time) -> &[Entry] {
        match self {
            Self::Wait => call.started.until(at),
            Self::Service => call.finished.until(at),
            Self::Hold => call.ready.until(at),
        }
    }
}

/// The spread of a length.
struct Spread {
    lengths: Vec<Nanos>,
    histogram: Histogram<u32>,
    mean: Option<Nanos>,
    /// Only one in so many tasks was looked at.
    every: usize,
}

impl Spread {
    fn of(length: Length, call: &Call, at: Time) -> Option<Self> {
        let tasks = length.tasks(call, at);
        let every = tasks.len().div_ceil(LOOKED_AT).max(1);
        let lengths: Vec<Nanos> = tasks
            .iter()
            .step_by(every)
            .filter_map(|entry| length.of(call.task(entry.index)?))
            .collect();
        let most = lengths.iter().max()?.0;
        // Two digits are more than the columns can show.
        let mut histogram = Histogram::new_with_bounds(1, most.max(2), 3).ok()?;
        for length in &lengths {
            histogram.saturating_record(length.0);
        }
        let mean = match length {
            Length::Wait => call.waits_until(at),
            Length::Service => call.services_until(at),
            Length::Hold => call.holds_until(at),
        };
        Some(Self {
            lengths,
            histogram,
            mean: mean.value(),
            every,
        })
    }

    fn quantile(&self, share: f64) -> Nanos {
        Nanos(self.histogram.value_at_quantile(share)).min(self.most())
    }

    fn most(&self) -> Nanos {
        self.lengths.iter().copied().max().unwrap_or_default()
    }

    /// How many lengths fall in each of so many columns from nothing to the longest.
    fn columns(&self, count: u16) -> Vec<u32> {
        let mut columns = vec![0; usize::from(count)];
        let most = u128::from(self.most().0.max(1));
        for length in &self.lengths {
            let column = (u128::from(length.0) * u128::from(count) / most) as usize;
            if let Some(slot) = columns.get_mut(column.min(usize::from(count).saturating_sub(1))) {
                *slot += 1;
            }
        }
        columns
    }
}

/// Draws the spread of one length: its name, bars, an axis with marks, and the figures.
pub fn render(length: Length, call: &Call, at: Time, area: Rect, pen: &mut Pen<'_>) {
    if area.height < 4 || area.width < 12 {
        return;
    }
    let theme = pen.theme;
    let (name, between) = length.words();
    let x = pen.bold(area.x, area.y, name, theme.now);
    let room = (area.right() - 1).saturating_sub(x + 2);
    if text::width(between) <= room {
        pen.text(x + 2, area.y, between, theme.dim);
    }
    let Some(spread) = Spread::of(length, call, at) else {
        pen.text_within(area.x, area.y + 1, area.width, "no task yet", theme.dim);
        return;
    };
    let bars = Rect {
        y: area.y + 1,
        width: area.width - 1,
        height: area.height - 3,
        ..area
    };
    draw_bars(&spread, bars, pen);
    let line = bars.bottom();
    for x in bars.left()..bars.right() {
        pen.cell(x, line, theme.glyphs.rule, theme.faint, theme.background);
    }
    let most = spread.most().0.max(1);
    let (median, high) = (spread.quantile(0.5), spread.quantile(0.95));
    for value in [high, median] {
        let column = u128::from(value.0) * u128::from(bars.width - 1) / u128::from(most);
        pen.cell(
            bars.x + column as u16,
            line,
            theme.glyphs.cursor,
            theme.now,
            theme.background,
        );
    }
    let figures = [
        ("mean", spread.mean),
        ("p50", Some(median)),
        ("p95", Some(high)),
        ("max", Some(spread.most())),
    ];
    let mut x = area.x;
    // The mean is among the numbers too: it stands here only where all four fit.
    let all: u16 = figures.iter().map(|figure| figure_width(*figure)).sum();
    let skip = usize::from(all > area.width + 1);
    for (name, value) in figures.into_iter().skip(skip) {
        let Some(value) = value else { continue };
        if x + figure_width((name, Some(value))) > area.right() + 2 {
            break;
        }
        x = pen.text(x, line + 1, name, theme.dim) + 1;
        x = pen.bold(x, line + 1, &value.to_string(), theme.now) + 2;
    }
    if spread.every > 1 {
        let says = format!("of 1 task in {}", spread.every);
        pen.text_until(bars.right(), area.y, &says, theme.wait);
    }
}

fn figure_width((name, value): (&str, Option<Nanos>)) -> u16 {
    value.map_or(0, |value| {
        text::width(name) + 3 + text::width(&value.to_string())
    })
}

/// Bars as high as the columns are full; one task is always seen.
fn draw_bars(spread: &Spread, area: Rect, pen: &mut Pen<'_>) {
    let theme = pen.theme;
    let columns = spread.columns(area.width);
    let most = columns.iter().copied().max().unwrap_or(0).max(1);
    for (x, count) in (area.x..).zip(columns).filter(|column| column.1 > 0) {
        let levels = u64::from(area.height) * 8;
        let height = (u64::from(count) * levels / u64::from(most)).max(1) as u16;
        for row in 0..area.height {
            let eighths = height.saturating_sub(row * 8).min(8);
            if eighths > 0 {
                let glyph = theme.glyphs.bars[usize::from(eighths)];
                pen.cell(
                    x,
                    area.bottom() - 1 - row,
                    glyph,
                    theme.dim,
                    theme.background,
                );
            }
        }
    }
}
