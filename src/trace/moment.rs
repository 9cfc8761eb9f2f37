//! Stepping from one thing that happened to the next.

use super::{Call, Order, Trace};
use crate::time::Time;

impl Trace {
    /// The next moment after `time` at which something happened: a start, an end, a result, a change of the caller.
    pub fn moment_after(&self, time: Time) -> Option<Time> {
        // Of those that begin later only the begin of the first can be next.
        let calls = self.calls.until(time);
        let later = self.calls.after(time).map(|call| call.began);
        let callers = self.callers.iter();
        calls
            .filter_map(|call| call.moment_after(time))
            .chain(callers.filter_map(|caller| caller.change_after(time)))
            .chain(later)
            .chain(self.markers.moment_after(time))
            .chain(self.process_moments().filter(|&at| at > time))
            .chain(self.ended.map(|(at, _)| at).filter(|&at| at > time))
            .min()
    }

    /// The last moment before `time` at which something happened.
    pub fn moment_before(&self, time: Time) -> Option<Time> {
        let just_before = Time(time.0.checked_sub(1)?);
        let calls = self.calls.until(just_before);
        let callers = self.callers.iter();
        calls
            .map(|call| call.moment_until(just_before).unwrap_or(call.began))
            .chain(callers.filter_map(|caller| caller.change_until(just_before)))
            .chain(self.markers.moment_before(time))
            .chain(self.process_moments().filter(|&at| at < time))
            .max()
    }

    /// Where a program calls no pool: when its processes come and go.
    fn process_moments(&self) -> impl Iterator<Item = Time> {
        let none = self.calls.first().is_none() && self.is_program();
        let processes = none.then(|| self.processes()).into_iter().flatten();
        processes.flat_map(|lane| {
            let closed = lane.closed.map(|(at, _)| at);
            std::iter::once(lane.opened).chain(closed)
        })
    }
}

impl Call {
    fn orders(&self) -> [&Order; 4] {
        [&self.started, &self.finished, &self.ready, &self.delivered]
    }

    fn moment_after(&self, time: Time) -> Option<Time> {
        let next = |order: &Order| order.entries().get(order.count_until(time)).map(|e| e.at);
        let orders = self.orders().into_iter().filter_map(next);
        orders.chain(self.submitted.moment_after(time)).min()
    }

    fn moment_until(&self, time: Time) -> Option<Time> {
        let last = |order: &Order| order.until(time).last().map(|entry| entry.at);
        let submitted = self.submitted.until(time).last().map(|step| step.0);
        let orders = self.orders().into_iter().filter_map(last);
        orders.chain(submitted).max()
    }
}
