//! Where every panel of the timeline stands: a pure function of the size of the screen and of how many
//! lanes there are.
//!
//! First everything gets the least it can be read in, so that each worker has a lane; then the rows
//! that are left fulfil wishes in a fixed order. Wishes are granted whole or not at all.

use ratatui::layout::Rect;

use super::axis::Axis;
use super::lanes::GUTTER;
use crate::time::Span;

/// The smallest screen with room for the timeline.
pub const SMALLEST: (u16, u16) = (60, 20);
/// Columns right of the time axis: a gap, and the gutter for what is at the cursor.
const RIGHT: u16 = 13;
/// From this height on a screen is tall: the time bar has its legend, CPUs stand before tall strips.
const TALL: u16 = 30;
/// From this height on strips are as tall as they get, and there are empty lines.
const TALLEST: u16 = 50;
/// Most rows a lane has.
const LANE: u16 = 3;

/// What the layout depends on besides the size of the screen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Needs {
    /// Lanes of what is large.
    pub lanes: u16,
    /// Lanes of what is small: they stand in a block, two a row.
    pub block: u16,
    /// Sending chunks costs something, so it has a lane.
    pub dispatcher: bool,
    /// A program is watched: there is a line about the call that is shown, and one about what was found.
    pub program: bool,
    /// Main runs the tasks itself: there is no queue, and no result is held.
    pub serial: bool,
}

/// How lanes share the rows that there are for them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LaneRows {
    /// Rows of a lane; 0: two lanes share one.
    pub each: u16,
    /// Of all lanes that are in sight.
    pub all: u16,
}

impl LaneRows {
    /// As many rows for each of `count` lanes as fit into `room`, but not more than `most`.
    pub fn fit(room: u16, count: u16, most: u16) -> Self {
        let each = (room / count.max(1)).min(most);
        let all = match each {
            0 => count.div_ceil(2).min(room),
            each => each * count,
        };
        Self { each, all }
    }
}

/// The places of the panels; a panel without a row has none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Layout {
    pub header: Rect,
    /// Which call of a program is shown.
    pub call: Rect,
    /// What there is to see of the method: the empty line after the header.
    pub caption: Rect,
    /// Main, and what it receives.
    pub caller: Rect,
    pub dispatcher: Rect,
    pub lanes: Rect,
    /// Rows of a lane; 0: two lanes share one.
    pub lane_rows: u16,
    pub axis: Rect,
    pub block: Rect,
    pub queue: Rect,
    pub held: Rect,
    /// Submitted, started, finished, delivered.
    pub strips: [Rect; 4],
    pub numbers: Rect,
    pub timebar: Rect,
    pub events: Rect,
    pub change: Rect,
    pub hints: Rect,
}

impl Layout {
    /// `None` for a screen that is too small.
    pub fn new(screen: Rect, needs: Needs) -> Option<Self> {
        if !fits(screen) {
            return None;
        }
        let rows = Rows::granted(screen.height, needs);
        Some(rows.stacked(screen))
    }

    /// Two strips' worth of columns: where strips begin, and how many columns they have.
    pub fn strip_columns(screen: Rect) -> (u16, u16) {
        let caption = if screen.width < 100 { 20 } else { 39 };
        (
            screen.x + GUTTER,
            screen.width.saturating_sub(GUTTER + caption),
        )
    }
}

/// Whether the screen has room for any view.
pub fn fits(screen: Rect) -> bool {
    screen.width >= SMALLEST.0 && screen.height >= SMALLEST.1
}

/// The time axis of a screen of this width.
pub fn axis(screen: Rect, span: Span) -> Axis {
    Axis {
        x: screen.x + GUTTER,
        width: screen.width.saturating_sub(GUTTER + RIGHT),
        span,
    }
}

/// Rows of each panel.
struct Rows {
    call: u16,
    dispatcher: u16,
    lanes: LaneRows,
    block: u16,
    queue: u16,
    held: u16,
    strips: [u16; 4],
    timebar: u16,
    events: u16,
    change: u16,
    /// Empty lines after the header, and before strips, numbers and the time bar.
    gaps: [u16; 4],
}

impl Rows {
    fn granted(height: u16, needs: Needs) -> Self {
        let mut rows = Self {
            call: u16::from(needs.program),
            dispatcher: u16::from(needs.dispatcher),
            lanes: LaneRows { each: 0, all: 0 },
            block: 0,
            queue: u16::from(!needs.serial),
            held: 0,
            strips: [1, 0, 1, 1],
            timebar: 1,
            events: 0,
            change: u16::from(needs.program),
            gaps: [0; 4],
        };
        let room = height - rows.total();
        let lanes = needs.lanes.max(1);
        rows.lanes = LaneRows::fit(room, lanes, 1);
        let mut left = room - rows.lanes.all;
        let mut grant = |rows: u16| {
            let granted = rows <= left;
            left -= if granted { rows } else { 0 };
            granted
        };
        rows.held = u16::from(!needs.serial && grant(1));
        rows.strips[1] = u16::from(grant(1));
        if height < TALL {
            rows.taller_strips(grant(2));
        } else {
            rows.timebar += u16::from(grant(1));
        }
        let block = needs.block.div_ceil(2);
        if rows.lanes.each > 0 && block > 0 && grant(block) {
            rows.block = block;
        }
        rows.change |= u16::from(!needs.program && grant(1));
        while (1..LANE).contains(&rows.lanes.each) && grant(lanes) {
            rows.lanes.each += 1;
            rows.lanes.all += lanes;
        }
        if height >= TALL {
            rows.taller_strips(grant(2));
        }
        if height >= TALLEST && rows.strips[2] == 2 && grant(4) {
            rows.strips = [2, 2, 3, 3];
            rows.gaps[0] = u16::from(grant(1));
        }
        if rows.gaps[0] == 0 && !needs.program {
            rows.gaps[0] = u16::from(grant(1));
        }
        for gap in 1..4 {
            rows.gaps[gap] = u16::from(grant(1));
        }
        if rows.timebar == 1 {
            rows.timebar += u16::from(grant(1));
        }
        if left >= 3 {
            rows.events = left;
        } else if rows.gaps[0] == 0 && left > 0 {
            rows.gaps[0] = 1;
        }
        rows
    }

    fn taller_strips(&mut self, granted: bool) {
        if granted {
            self.strips[2] += 1;
            self.strips[3] += 1;
        }
    }

    /// With header, main, what it receives, axis, numbers and hints.
    fn total(&self) -> u16 {
        const FIXED: u16 = 1 + 2 + 1 + 2 + 1;
        let strips: u16 = self.strips.iter().sum();
        let program = self.call + self.change;
        FIXED
            + program
            + self.dispatcher
            + self.lanes.all
            + self.block
            + self.queue
            + self.held
            + strips
            + self.timebar
    }

    fn stacked(&self, screen: Rect) -> Layout {
        let mut y = screen.y;
        let mut next = |height: u16| {
            let area = Rect {
                y,
                height,
                ..screen
            };
            y += height;
            area
        };
        let header = next(1);
        let call = next(self.call);
        let caption = next(self.gaps[0]);
        let caller = next(2);
        let dispatcher = next(self.dispatcher);
        let lanes = next(self.lanes.all);
        let axis = next(1);
        let block = next(self.block);
        let queue = next(self.queue);
        let held = next(self.held);
        next(self.gaps[1]);
        let strips = self.strips.map(&mut next);
        next(self.gaps[2]);
        let numbers = next(2);
        next(self.gaps[3]);
        let timebar = next(self.timebar);
        if self.events > 3 {
            next(1);
        }
        let events = next(self.events - u16::from(self.events > 3));
        let last = |above: u16, height: u16| Rect {
            y: screen.bottom() - 1 - above,
            height,
            ..screen
        };
        Layout {
            header,
            call,
            caption,
            caller,
            dispatcher,
            lanes,
            lane_rows: self.lanes.each,
            axis,
            block,
            queue,
            held,
            strips,
            numbers,
            timebar,
            events,
            change: last(self.change, self.change),
            hints: last(0, 1),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layout(width: u16, height: u16, lanes: u16, block: u16) -> Layout {
        let needs = Needs {
            lanes,
            block,
            ..Needs::default()
        };
        Layout::new(Rect::new(0, 0, width, height), needs).unwrap()
    }

    fn strips(layout: &Layout) -> [u16; 4] {
        layout.strips.map(|strip| strip.height)
    }

    #[test]
    fn a_loop_has_no_rows_for_what_waits_and_what_is_held() {
        let heights = |serial| {
            let needs = Needs {
                lanes: 1,
                serial,
                ..Needs::default()
            };
            let layout = Layout::new(Rect::new(0, 0, 80, 24), needs).unwrap();
            (layout.queue.height, layout.held.height)
        };
        assert_eq!((heights(false), heights(true)), ((1, 1), (0, 0)));
    }

    #[test]
    fn eight_workers_stand_as_designed_at_every_size() {
        let smallest = layout(60, 20, 8, 4);
        assert_eq!((smallest.lanes.height, smallest.lane_rows), (8, 1));
        assert_eq!((smallest.held.height, strips(&smallest)), (0, [1, 0, 1, 1]));
        let small = layout(80, 24, 8, 4);
        assert_eq!((small.lanes.height, small.block.height), (8, 0));
        assert_eq!((small.held.height, strips(&small)), (1, [1, 1, 2, 2]));
        assert_eq!(small.timebar.height, 1);
        let medium = layout(120, 36, 8, 4);
        assert_eq!((medium.lane_rows, medium.block.height), (2, 2));
        assert_eq!((medium.timebar.height, strips(&medium)), (2, [1, 1, 2, 2]));
        let large = layout(200, 60, 8, 4);
        assert_eq!((large.lane_rows, large.block.height), (3, 2));
        assert_eq!((large.caller.y, strips(&large)), (2, [2, 2, 3, 3]));
        assert!(large.events.height >= 3);
    }

    #[test]
    fn lanes_have_equal_rows_or_two_share_one() {
        let fit = |room, count| {
            let rows = LaneRows::fit(room, count, 3);
            (rows.each, rows.all)
        };
        assert_eq!([fit(9, 4), fit(40, 4)], [(2, 8), (3, 12)]);
        assert_eq!([fit(3, 4), fit(3, 9)], [(0, 2), (0, 3)]);
        assert_eq!([fit(3, 0), fit(0, 2)], [(3, 0), (0, 0)]);
    }

    #[test]
    fn more_cpus_shrink_the_tall_strips() {
        let layout = layout(120, 36, 8, 8);
        assert_eq!((layout.lane_rows, layout.block.height), (2, 4));
        assert_eq!(strips(&layout), [1, 1, 1, 1]);
    }

    #[test]
    fn each_worker_keeps_a_lane_while_anything_can_give_way() {
        let tight = layout(80, 24, 11, 4);
        assert_eq!((tight.lane_rows, tight.held.height), (1, 1));
        assert_eq!(strips(&tight), [1, 0, 1, 1]);
        assert_eq!(layout(80, 24, 12, 4).lane_rows, 1);
        let pairs = layout(80, 24, 24, 4);
        assert_eq!((pairs.lane_rows, pairs.lanes.height), (0, 12));
        assert_eq!(layout(80, 24, 64, 4).lanes.height, 12);
    }

    #[test]
    fn panels_never_overlap_nor_leave_the_screen() {
        for height in 20..120 {
            for lanes in [0, 1, 3, 8, 13, 64, 1024] {
                let screen = Rect::new(0, 0, 80, height);
                let needs = Needs {
                    lanes,
                    block: lanes / 2,
                    dispatcher: lanes % 2 == 1,
                    program: lanes % 3 == 0,
                    serial: height % 2 == 0,
                };
                let layout = Layout::new(screen, needs).unwrap();
                let mut y = 0;
                let strips = layout.strips;
                let panels = [
                    layout.header,
                    layout.caller,
                    layout.dispatcher,
                    layout.lanes,
                ]
                .into_iter()
                .chain([layout.axis, layout.block, layout.queue, layout.held])
                .chain(strips)
                .chain([layout.numbers, layout.timebar, layout.events])
                .chain([layout.change, layout.hints]);
                for panel in panels {
                    assert!(panel.height == 0 || panel.y >= y, "{height} {lanes}");
                    y = y.max(panel.bottom());
                }
                assert_eq!(y, height);
            }
        }
    }

    #[test]
    fn below_the_smallest_size_there_is_no_layout() {
        for (width, height) in [(59, 20), (60, 19), (0, 0)] {
            let screen = Rect::new(0, 0, width, height);
            assert_eq!(Layout::new(screen, Needs::default()), None);
        }
    }
}
