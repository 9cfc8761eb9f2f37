//! Where tasks stand in the three orders, and where that is on the screen.

use ratatui::layout::Rect;

use crate::event::Outcome;
use crate::time::Time;
use crate::trace::{Call, Entry, List, Received, Trace};
use crate::ui::braille::DOTS;
use crate::ui::hues;
use crate::ui::lanes::GUTTER;

/// Columns a task has at most.
const WIDEST: u16 = 8;
/// Columns on the right that stay free.
const RIGHT: u16 = 3;
/// Rows for one band of lines, below which there is nothing to see.
const LEAST: u16 = 2;

/// The three orders from top to bottom.
pub(super) const ORDERS: [&str; 3] = ["submitted", "finished", "delivered"];

/// The orders of a call as of a moment, laid into an area.
pub(super) struct Slope<'a> {
    pub(super) trace: &'a Trace,
    pub(super) call: &'a Call,
    pub(super) at: Time,
    pub(super) area: Rect,
    /// How many tasks had been submitted; they are in order.
    pub(super) submitted: u32,
    pub(super) finished: List<'a, Entry>,
    pub(super) delivered: List<'a, Entry>,
    /// The same with the errors that came instead of results.
    received: Received<'a>,
    /// How many tasks there are or will be.
    pub(super) count: u32,
    /// Rows of a band of lines.
    pub(super) band: u16,
}

impl<'a> Slope<'a> {
    pub(super) fn new(trace: &'a Trace, call: &'a Call, at: Time, area: Rect) -> Option<Self> {
        let band = area.height.checked_sub(ORDERS.len() as u16 + 3)? / 2;
        if band < LEAST || area.width <= GUTTER + RIGHT {
            return None;
        }
        let count = hues::tasks(call).max(1);
        Some(Self {
            trace,
            call,
            at,
            area,
            submitted: call.submitted.count_until(at),
            finished: call.finished.until(at),
            delivered: call.delivered.until(at),
            received: trace.received(call, at),
            count,
            band,
        })
    }

    /// How many tasks have their place in an order.
    pub(super) fn happened(&self, order: usize) -> u32 {
        match order {
            0 => self.submitted,
            1 => self.finished.len() as u32,
            _ => self.received.len() as u32,
        }
    }

    /// The task at a place of an order.
    pub(super) fn task(&self, order: usize, place: u32) -> Option<u32> {
        let entries = match order {
            0 => return (place < self.submitted).then_some(place),
            1 => self.finished,
            _ => return self.received.get(place as usize),
        };
        entries.get(place as usize).map(|entry| entry.index)
    }

    /// The place of a task in an order, found by its moment: nothing is gone through from the begin.
    pub(super) fn place(&self, order: usize, index: u32) -> Option<u32> {
        if order > 1
            && let Some(place) = self.received.place_of_error(index)
        {
            return Some(place as u32);
        }
        let task = self.call.task(index)?;
        let (entries, at) = match order {
            0 => return (index < self.submitted).then_some(index),
            1 => (self.finished, task.finished),
            _ => (self.delivered, task.delivered),
        };
        let first = entries.partition_point(|entry| entry.at < at);
        let end = entries.partition_point(|entry| entry.at <= at);
        let same = entries.part(first..end);
        // What came at once came in order, or is a handful.
        let found = same.partition_point(|entry| entry.index < index);
        let is_here = same.get(found).is_some_and(|entry| entry.index == index);
        let place = || same.iter().position(|entry| entry.index == index);
        let found = Some(found).filter(|_| is_here).or_else(place)?;
        let found = first + found;
        let place = match order {
            1 => found,
            _ => self.received.place_of_result(found),
        };
        Some(place as u32)
    }

    /// Columns for all tasks together.
    pub(super) fn width(&self) -> u16 {
        self.area.width - GUTTER - RIGHT
    }

    /// Columns of a task; none if there are more tasks than columns.
    pub(super) fn columns(&self) -> Option<u16> {
        match u32::from(self.width()) / self.count {
            0 => None,
            columns => Some((columns as u16).min(WIDEST)),
        }
    }

    /// Every so many tasks get a line; where tasks share columns, a column is left between two lines.
    pub(super) fn every(&self) -> u32 {
        match self.columns() {
            Some(_) => 1,
            None => (self.count * 2).div_ceil(u32::from(self.width()).max(1)),
        }
    }

    /// The screen row of an order.
    pub(super) fn row(&self, order: usize) -> u16 {
        self.area.y + 1 + order as u16 * (self.band + 1)
    }

    /// The first column of a place, counted from the gutter.
    pub(super) fn column(&self, place: u32) -> u16 {
        match self.columns() {
            Some(columns) => place as u16 * columns,
            None => (u64::from(place) * u64::from(self.width()) / u64::from(self.count)) as u16,
        }
    }

    /// The place that has this column of the screen.
    pub(super) fn place_of(&self, column: u16) -> Option<u32> {
        let column = column.checked_sub(self.area.x + GUTTER)?;
        let place = (u64::from(column) * u64::from(self.count) / u64::from(self.width())) as u32;
        let columns = self.columns().map(|columns| u32::from(column / columns));
        Some(columns.unwrap_or(place))
    }

    /// The middle of a place in dots.
    pub(super) fn middle(&self, place: u32) -> f64 {
        let columns = f64::from(self.columns().unwrap_or(1));
        (f64::from(self.column(place)) + columns / 2.0) * f64::from(DOTS.0)
    }

    pub(super) fn bad_end(&self, index: u32) -> Option<Outcome> {
        let task = self.call.task(index)?;
        task.outcome_at(self.at)
            .filter(|&outcome| outcome != Outcome::Ok)
    }
}
