//! What a process makes once is made once, whichever of its threads come first.

use crate::probe::watch::{Watched, call, python, script, watch};
use parviz::origin::python::wire::{Message, Told};
use std::collections::BTreeSet;

/// Each run of the program is another chance for its threads to meet.
const RUNS: usize = 4;

fn all_at_once(what: &str, pools: usize) {
    for _ in 0..RUNS {
        let program = script("once.py");
        let watched = watch(call(&python(), &[program.to_str().unwrap(), what]));
        assert_eq!(watched.seen.code, Some(0), "{}", watched.seen.err);
        assert_eq!(watched.seen.err, "");
        assert_eq!(rings(&watched), 1);
        let refused = watched
            .messages
            .iter()
            .find(|(_, message)| matches!(message, Message::NoProbe { .. }));
        assert_eq!(refused, None);
        let opened = watched.count(|told| matches!(told, Told::PoolOpen { .. }));
        assert_eq!(opened, pools);
        let calls: BTreeSet<String> = watched.calls().into_iter().collect();
        assert_eq!(calls.len(), pools, "{calls:?}");
        assert_eq!(watched.items(), (2 * pools, 2 * pools));
    }
}

fn rings(watched: &Watched) -> usize {
    let is_ring = |message: &&(u32, Message)| matches!(message.1, Message::Ring { .. });
    watched.messages.iter().filter(is_ring).count()
}

#[test]
fn threads_that_open_their_first_pools_at_once_share_one_ring() {
    all_at_once("pools", 16);
}

#[test]
fn threads_of_a_child_that_speak_at_once_say_hello_first() {
    all_at_once("child", 16);
}

#[test]
fn threads_that_import_at_once_find_the_probe_whole() {
    all_at_once("imports", 11);
}
