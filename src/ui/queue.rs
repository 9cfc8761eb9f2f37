//! How many tasks wait for a worker, and how many results wait for the main program, over time.

use ratatui::layout::Rect;

use super::Moment;
use super::hues::tasks;
use super::lanes::GUTTER;
use super::text::{Pen, width};
use crate::time::Time;
use crate::trace::Call;

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depth {
    /// Submitted, and not started.
    Waiting,
    /// Finished, and not yet the caller's to use.
    Held,
}

impl Depth {
    fn label(self) -> &'static str {
        match self {
            Self::Waiting => "queue",
            Self::Held => "held",
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Held => "held",
        }
    }

    fn at(self, call: &Call, time: Time) -> u32 {
        match self {
            Self::Waiting => call.queue_at(time),
            Self::Held => call.held_at(time),
        }
    }
}

/// Draws one depth over time into the row of the area; the number of the cursor stands at the right.
pub fn render(moment: &Moment<'_>, depth: Depth, area: Rect, pen: &mut Pen<'_>) {
    if area.height == 0 {
        return;
    }
    let (theme, y) = (pen.theme, area.y);
    pen.text_within(area.x + 1, y, GUTTER - 2, depth.label(), theme.text);
    let Some(call) = moment.trace.call() else {
        return;
    };
    let all = u64::from(tasks(call).max(1));
    for x in moment.axis.x..moment.axis.right() {
        let stretch = moment.axis.stretch(x);
        let middle = Time(u64::midpoint(stretch.start().0, stretch.end().0));
        if middle >= moment.cursor {
            break;
        }
        let count = u64::from(depth.at(call, middle));
        if count > 0 {
            let eighths = (1 + count * 7 / all).min(8) as usize;
            let bar = theme.glyphs.bars[eighths];
            pen.cell(x, y, bar, theme.dim, theme.background);
        }
    }
    let x = moment.axis.right() + 1;
    let count = depth.at(call, moment.cursor).to_string();
    let words = format!("{count} {}", depth.word());
    // The label on the left says what is counted.
    let fits = x + width(&words) <= pen.buffer.area.right();
    pen.text(x, y, if fits { &words } else { &count }, theme.dim);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::method::Method;
    use crate::ui::samples::{self, PLAIN, lines};

    #[test]
    fn a_number_that_leaves_no_room_for_its_word_stands_alone() {
        let run = samples::run(Method::Map, 1, &[]);
        let moment = samples::at(&run, 2, 12);
        let drawn = lines(PLAIN, (42, 1), |area, pen| {
            render(&moment, Depth::Waiting, area, pen);
        });
        assert_eq!(drawn, [" queue     --__                     2"]);
    }

    #[test]
    fn results_are_held_until_the_list_is_whole() {
        let run = samples::run(Method::Map, 1, &[]);
        let drawn = |depth, cursor| {
            let moment = samples::at(&run, cursor, 12);
            lines(PLAIN, (48, 1), |area, pen| {
                render(&moment, depth, area, pen);
            })
            .remove(0)
        };
        assert_eq!(
            drawn(Depth::Held, 12),
            " held        ________--------====   0 held"
        );
        assert_eq!(
            drawn(Depth::Waiting, 2),
            " queue     --__                     2 waiting"
        );
    }
}
