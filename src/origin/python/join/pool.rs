//! A pool with its workers, as their parent tells of them.

use super::account::Account;
use super::call::Place;
use super::hand::Hand;
use crate::event::{CallId, Ended, LaneId, PoolId, PoolOpened};
use crate::origin::python::wire::StringId;
use std::collections::HashMap;

/// See the module.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub(super) struct Pool {
    pub(super) id: PoolId,
    /// The process that has it.
    pub(super) owner: usize,
    pub(super) lane: LaneId,
    pub(super) is_executor: bool,
    /// Its workers are threads.
    pub(super) has_threads: bool,
    /// By whom it was opened, when, and as what, until that is told.
    pub(super) unshown: Option<(LaneId, u64, PoolOpened)>,
    pub(super) is_closed: bool,
    /// Its workers are made to end: what they have in hand was given up.
    pub(super) is_given_up: bool,
    /// An executor of processes that lost one makes the others end: what they have in hand is lost.
    pub(super) is_broken: bool,
    /// Since this time of the clock, if it is.
    pub(super) gave_up: u64,
    /// Calls that may be joined by more of the same thread and line, until it is closed.
    pub(super) series: HashMap<(u16, StringId), Series>,
    /// Who has each row; a worker that replaces one that died takes its row.
    rows: Vec<bool>,
}

/// Calls from one line of which each is one task.
#[derive(Clone, Copy, Debug)]
pub(super) struct Series {
    pub(super) shown: CallId,
    /// The index of the next task.
    pub(super) next: u32,
    /// Those that have not been delivered.
    pub(super) open: u32,
}

impl Pool {
    pub(super) fn new(id: PoolId, owner: usize, lane: LaneId) -> Self {
        Self {
            id,
            owner,
            lane,
            is_executor: false,
            has_threads: false,
            unshown: None,
            is_closed: false,
            is_given_up: false,
            is_broken: false,
            gave_up: u64::MAX,
            series: HashMap::new(),
            rows: Vec::new(),
        }
    }

    /// Its work is given up from now on; false if it was before.
    pub(super) fn give_up(&mut self, at: u64) -> bool {
        self.gave_up = self.gave_up.min(at);
        !std::mem::replace(&mut self.is_given_up, true)
    }

    pub(super) fn take_row(&mut self) -> usize {
        let free = self.rows.iter().position(|taken| !taken);
        let row = free.unwrap_or(self.rows.len());
        if row == self.rows.len() {
            self.rows.push(true);
        }
        self.rows[row] = true;
        row
    }

    pub(super) fn free_row(&mut self, row: usize) {
        if let Some(taken) = self.rows.get_mut(row) {
            *taken = false;
        }
    }
}

/// A process or a thread that works for a pool.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub(super) struct Worker {
    pub(super) lane: LaneId,
    pub(super) pool: usize,
    pub(super) row: usize,
    /// Its parent has not told of it: whose it is was guessed.
    pub(super) is_guessed: bool,
    /// Which of the threads of its process it is, if it is no process itself.
    pub(super) thread: Option<u16>,
    /// The process that speaks for it.
    pub(super) teller: Option<usize>,
    pub(super) hand: Option<Hand>,
    pub(super) account: Account,
    /// It said why its task could not come to an end.
    pub(super) said_why: bool,
    /// That was Ctrl-C, as far as it knows.
    pub(super) interrupted: bool,
    /// It died of that with this in hand, a part of the call of this number, and the program may be about to leave
    /// the pool.
    pub(super) undecided: Option<(Option<u32>, Place)>,
    /// It said itself that it ends.
    pub(super) said_end: bool,
    /// When its end was noticed, on the clock of all processes.
    pub(super) died: Option<u64>,
    /// What its parent saw of its end, and when.
    pub(super) exit: Option<i32>,
    pub(super) reaped: Option<u64>,
    /// It died with a chunk in hand.
    pub(super) lost: bool,
    pub(super) is_closed: bool,
}

impl Worker {
    pub(super) fn new(lane: LaneId, pool: usize, row: usize) -> Self {
        Self {
            lane,
            pool,
            row,
            is_guessed: false,
            thread: None,
            teller: None,
            hand: None,
            account: Account::default(),
            said_why: false,
            interrupted: false,
            undecided: None,
            said_end: false,
            died: None,
            exit: None,
            reaped: None,
            lost: false,
            is_closed: false,
        }
    }

    /// How it ended, as far as is known by now.
    pub(super) fn ended(&self, pool: &Pool) -> Ended {
        match self.exit {
            // Who died with a chunk in hand was not made to end.
            None | Some(..=-1) if self.lost && !self.said_end => Ended::Killed,
            _ if self.lost => Ended::Crashed,
            _ if pool.is_given_up && !pool.is_broken => Ended::Finished,
            Some(..=-1) => Ended::Killed,
            Some(1..) => Ended::Crashed,
            None if !self.said_end => Ended::Killed,
            _ if pool.is_closed => Ended::Finished,
            _ => Ended::Retired,
        }
    }
}
