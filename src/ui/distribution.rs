//! How a length of time is spread over tasks: a histogram with its median, 95th percentile and maximum.

use ratatui::layout::Rect;

use super::text::{self, Pen};
use crate::time::{Nanos, Time};
use crate::trace::{Call, Entry, List, Mean};

/// Tasks that are looked at; of more, every so many. The mean and the longest are of all.
const LOOKED_AT: usize = 4_000;
/// From so many columns on it is said between which moments a length lies.
const ROOMY: u16 = 36;

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

    fn of(self, call: &Call, index: u32) -> Option<Nanos> {
        match self {
            Self::Wait => call.wait(index),
            Self::Service => call.service(index),
            Self::Hold => call.hold(index),
        }
    }

    fn mean(self, call: &Call, at: Time) -> Mean {
        match self {
            Self::Wait => call.waits_until(at),
            Self::Service => call.services_until(at),
            Self::Hold => call.holds_until(at),
        }
    }

    /// The tasks that had this length as of a moment.
    fn tasks(self, call: &Call, at: Time) -> List<'_, Entry> {
        match self {
            Self::Wait => call.started.until(at),
            Self::Service => call.finished.until(at),
            Self::Hold => call.ready.until(at),
        }
    }
}

/// The spread of a length.
struct Spread {
    /// The shortest first.
    lengths: Vec<Nanos>,
    mean: Mean,
    /// Only one in so many tasks was looked at.
    every: usize,
}

impl Spread {
    fn of(length: Length, call: &Call, at: Time) -> Option<Self> {
        let tasks = length.tasks(call, at);
        let every = tasks.len().div_ceil(LOOKED_AT).max(1);
        let mut lengths: Vec<Nanos> = tasks
            .every(every)
            .filter_map(|entry| length.of(call, entry.index))
            .collect();
        let mean = length.mean(call, at);
        mean.value()?;
        lengths.sort_unstable();
        Some(Self {
            lengths,
            mean,
            every,
        })
    }

    /// The shortest length that this share of them does not exceed.
    fn quantile(&self, share: f64) -> Nanos {
        let rank = (share * self.lengths.len() as f64).ceil() as usize;
        let length = self.lengths.get(rank.saturating_sub(1));
        length.copied().unwrap_or_default()
    }

    fn most(&self) -> Nanos {
        self.mean.longest
    }

    /// How many lengths fall in each of so many bins from nothing to the longest.
    fn bins(&self, count: u16) -> Vec<u32> {
        let mut bins = vec![0; usize::from(count.max(1))];
        let last = bins.len() - 1;
        let most = u128::from(self.most().0.max(1));
        for length in &self.lengths {
            let bin = (u128::from(length.0) * u128::from(count) / most) as usize;
            bins[bin.min(last)] += 1;
        }
        bins
    }

    /// Columns of a bar: a few tasks in many narrow bars would look like a comb.
    fn bar_width(&self, columns: u16) -> u16 {
        let bins = (self.lengths.len() as f64).sqrt() * 3.0;
        (f64::from(columns) / bins.max(8.0)).ceil() as u16
    }
}

/// Draws the spread of one length: its name, bars, an axis with marks, and the figures.
pub fn render(length: Length, call: &Call, at: Time, area: Rect, pen: &mut Pen<'_>) {
    if area.height < 4 || area.width < 12 {
        return;
    }
    let named = title(length, area, pen);
    let Some(spread) = Spread::of(length, call, at) else {
        pen.text_within(area.x, area.y + 1, area.width, "no task yet", pen.theme.dim);
        return;
    };
    // No bar has more tasks than there are: so the bars stay where they are while it grows.
    let scale = text::width(&call.tasks().len().min(LOOKED_AT).to_string()) + 1;
    let bars = Rect {
        x: area.x + scale,
        y: area.y + 1,
        width: (area.width - 1).saturating_sub(scale),
        height: area.height - 3,
    };
    let highest = draw_bars(&spread, bars, pen);
    axes(highest, bars, pen);
    figures(&spread, (area, bars), named, pen);
    if spread.every > 1 {
        let says = format!("of 1 task in {}", spread.every);
        pen.text_until(bars.right(), area.y, &says, pen.theme.wait);
    }
}

/// The name of the length, and where there is room between which moments it lies; answers the column after the name.
fn title(length: Length, area: Rect, pen: &mut Pen<'_>) -> u16 {
    let (name, between) = length.words();
    let named = pen.bold(area.x, area.y, name, pen.theme.now);
    let room = (area.right() - 1).saturating_sub(named + 2);
    if area.width >= ROOMY && text::width(between) <= room {
        pen.text(named + 2, area.y, between, pen.theme.dim);
    }
    named
}

/// How many tasks the highest bar has, and the line under the bars.
fn axes(highest: u64, bars: Rect, pen: &mut Pen<'_>) {
    let (theme, line) = (pen.theme, bars.bottom());
    pen.text_until(bars.x - 1, bars.y, &highest.to_string(), theme.dim);
    pen.text_until(bars.x - 1, line, "0", theme.dim);
    for x in bars.left()..bars.right() {
        pen.cell(x, line, theme.glyphs.rule, theme.faint, theme.background);
    }
}

/// Mean, median, 95th percentile and maximum below the bars, and marks of the second and the third on their axis.
fn figures(spread: &Spread, (area, bars): (Rect, Rect), named: u16, pen: &mut Pen<'_>) {
    let (theme, line) = (pen.theme, bars.bottom());
    let [p50, p95] = ["p50", "p95"].map(|name| format!("{}{name}", theme.glyphs.cursor));
    let figures = [
        ("mean", spread.mean.value()),
        (p50.as_str(), Some(spread.quantile(0.5))),
        (p95.as_str(), Some(spread.quantile(0.95))),
        ("max", Some(spread.most())),
    ];
    // The mean is among the numbers too: it stands here only where all four fit.
    let all: u16 = figures.iter().copied().map(figure_width).sum();
    let skip = usize::from(all + 6 > area.width);
    let three: u16 = figures[1..].iter().copied().map(figure_width).sum();
    let tight = skip == 1 && three + 4 > area.width;
    let mut x = area.x;
    for (name, value) in figures.into_iter().skip(skip) {
        let Some(value) = value else { continue };
        if tight && name == "max" {
            above_the_end(value, (area.y, bars.right()), named, pen);
            continue;
        }
        let columns = figure_width((name, Some(value)));
        if x + columns > area.right() {
            continue;
        }
        if name == "max" {
            // Under the end of the axis, where it is.
            x = x.max(bars.right().saturating_sub(columns));
        }
        // A mark without a name would say nothing.
        if name.starts_with(theme.glyphs.cursor) {
            let x = column(value, spread.most(), bars);
            pen.cell(x, line, theme.glyphs.cursor, theme.now, theme.background);
        }
        x = pen.text(x, line + 1, name, theme.dim) + 1;
        let words = value.to_string();
        x = pen.bold(x, line + 1, &theme.units(&words), theme.now) + 2;
    }
}

/// The maximum in the line of the title, where it does not run into the name.
fn above_the_end(most: Nanos, (y, end): (u16, u16), named: u16, pen: &mut Pen<'_>) {
    let (theme, words) = (pen.theme, most.to_string());
    let from = end.saturating_sub(text::width(&words) + 4);
    if from > named {
        pen.text(from, y, "max", theme.dim);
        pen.bold(from + 4, y, &theme.units(&words), theme.now);
    }
}

/// Where a length lies on the axis under the bars.
fn column(length: Nanos, most: Nanos, bars: Rect) -> u16 {
    let columns = u128::from(bars.width - 1);
    bars.x + (u128::from(length.0) * columns / u128::from(most.0.max(1))) as u16
}

fn figure_width((name, value): (&str, Option<Nanos>)) -> u16 {
    value.map_or(0, |value| {
        text::width(name) + 1 + text::width(&value.to_string())
    })
}

/// Bars as high as the bins are full; one task is always seen. Answers how many tasks the highest has.
fn draw_bars(spread: &Spread, area: Rect, pen: &mut Pen<'_>) -> u64 {
    let theme = pen.theme;
    let wide = spread.bar_width(area.width).max(1);
    let bins = spread.bins((area.width / wide).max(1));
    let most = u64::from(bins.iter().copied().max().unwrap_or(0).max(1));
    let levels = u64::from(area.height) * 8;
    for (number, count) in (0..).zip(&bins).filter(|bin| *bin.1 > 0) {
        let height = (u64::from(*count) * levels / most).max(1) as u16;
        let left = area.x + number * area.width / bins.len() as u16;
        let end = area.x + (number + 1) * area.width / bins.len() as u16;
        for row in 0..height.div_ceil(8) {
            let eighths = (height - row * 8).min(8);
            let glyph = theme.glyphs.bars[usize::from(eighths)];
            for x in left..end {
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
    most
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::method::Method;
    use crate::palette::Look;
    use crate::ui::samples::{PLAIN, lines, short as run};
    use crate::ui::theme::Theme;
    use ratatui::buffer::Buffer;

    #[test]
    fn median_and_maximum_are_those_of_the_tasks() {
        let trace = run(Method::Map);
        let call = trace.call().unwrap();
        let service = Spread::of(Length::Service, call, trace.end()).unwrap();
        assert_eq!(service.most(), Nanos(90));
        assert_eq!(service.quantile(0.5), Nanos(40));
        assert_eq!(service.quantile(1.0), Nanos(90));
        assert_eq!(service.bins(9).iter().sum::<u32>(), 8);
        let hold = Spread::of(Length::Hold, call, trace.end()).unwrap();
        assert_eq!(hold.mean.value(), Some(Nanos(51)));
        assert!(Spread::of(Length::Hold, call, Time(50)).is_none());
    }

    #[test]
    fn the_highest_bar_has_its_count_beside_it() {
        let trace = run(Method::Map);
        let drawn = lines(PLAIN, (40, 7), |area, pen| {
            let call = trace.call().unwrap();
            render(Length::Service, call, trace.end(), area, pen);
        });
        assert!(drawn[1].starts_with("2 "), "{drawn:?}");
        assert!(drawn[5].starts_with("0 "), "{drawn:?}");
    }

    #[test]
    fn the_figures_stand_under_the_bars_at_any_width() {
        let trace = run(Method::Map);
        for width in 12..90 {
            let area = Rect::new(0, 0, width, 8);
            let mut buffer = Buffer::empty(area);
            let mut pen = Pen::new(&mut buffer, Theme::of(Look::default()));
            render(
                Length::Service,
                trace.call().unwrap(),
                trace.end(),
                area,
                &mut pen,
            );
            let text: String = buffer
                .content()
                .iter()
                .map(ratatui::buffer::Cell::symbol)
                .collect();
            assert!(text.contains("service"), "{text}");
            // Every mark has its name, and the axis its end where there is room for it.
            let named = ["p50", "p95"].map(|name| text.matches(name).count());
            let marks = text.matches('\u{25b2}').count();
            assert_eq!(marks, 2 * named.iter().sum::<usize>(), "{text}");
            assert!(width < 20 || text.contains("max 90 ns"), "{text}");
            assert!(
                width < 26
                    || ["p50 40 ns", "p95 90 ns", "max 90 ns"]
                        .iter()
                        .all(|figure| text.contains(figure)),
                "{text}"
            );
        }
    }
}
