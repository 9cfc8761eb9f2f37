//! How tasks of real programs spent their time: known, adding up, and what it should be whatever the
//! machine does meanwhile.

use super::script::Script;
use serde_json::Value;

/// Tasks that compute for 20 ms by their own clock, sleep for 50, or do next to nothing.
const TASKS: &str = r"
import concurrent.futures, multiprocessing, os, time
from multiprocessing.pool import ThreadPool

def compute(x):
    end = time.thread_time_ns() + 20_000_000
    while time.thread_time_ns() < end:
        pass

def sleep(x):
    time.sleep(0.05)

def little(x):
    return x * x

def nested(x):
    with ThreadPool(2) as pool:
        pool.map(sleep, range(2), 1)
        # Threads that are killed with their process tell nothing at their end.
        pool.close()
        pool.join()

";

fn report(program: &str) -> Value {
    let script = Script::new(&format!("{TASKS}if __name__ == '__main__':\n{program}"));
    let (said, report) = script.watch(&[]);
    assert_eq!((said.err.as_str(), said.code), ("", Some(0)));
    report
}

/// What tasks of a call spent on a CPU, waiting for one, and blocked, in nanoseconds; in all.
fn spent(call: &Value) -> [f64; 4] {
    let number = |key: &str| call["numbers"][key].as_f64();
    let tasks = call["tasks"].as_f64().unwrap();
    let busy = number("service").unwrap() * tasks;
    let part = |key: &str| call["where"][key].as_f64().unwrap();
    let parts = ["on_cpu", "waiting_cpu", "blocked"].map(part);
    let all: f64 = parts.iter().sum::<f64>() + part("unknown");
    let [on_cpu, waiting, blocked] = parts.map(|part| part / all * busy);
    [on_cpu, waiting, blocked, busy]
}

/// Tasks that take less than it may take until a worker is asked; and threads that slept, but computed so
/// long, as a busy machine makes them, that for more than 5 % they may have waited for each other's lock.
fn may_be_unknown(report: &Value, call: &Value) -> bool {
    let pool = &report["pools"][call["pool"].as_u64().unwrap() as usize];
    let others = pool["workers"].as_f64().unwrap() - 1.0;
    let [on_cpu, _, blocked, _] = spent(call);
    match call["function"].as_str().unwrap() {
        "little" => true,
        "sleep" if pool["kind"].as_str().unwrap().contains("Thread") => {
            on_cpu * others > 0.049 * (on_cpu + blocked)
        }
        _ => false,
    }
}

fn check(report: &Value, count: usize) {
    let calls = report["calls"].as_array().unwrap();
    assert_eq!(calls.len(), count);
    for call in calls {
        let tasks = call["tasks"].as_f64().unwrap();
        let [on_cpu, waiting, blocked, busy] = spent(call);
        let known = call["numbers"]["speedup"].as_f64();
        let at_most = call["speedup_at_most"].as_f64();
        let Some(speedup) = known.or(at_most) else {
            assert!(may_be_unknown(report, call), "{call}");
            continue;
        };
        assert!(known.is_none() || at_most.is_none(), "{call}");
        // Nobody knows that those who sleep do not wait for each other.
        assert!(call["function"] != "sleep" || known.is_none(), "{call}");
        let makespan = call["numbers"]["makespan"].as_f64().unwrap();
        let serial = speedup * makespan;
        if let Some(told) = call["numbers"]["serial_time"].as_f64() {
            assert!((told - serial).abs() < 0.001 * serial, "{call}");
        }
        // At most 2 % is unknown.
        assert!(on_cpu + waiting + blocked >= 0.98 * busy, "{call}");
        assert!(serial <= 1.001 * busy, "{call}");
        match call["function"].as_str().unwrap() {
            "compute" => {
                let asked = tasks * 20e6;
                assert!(on_cpu >= 0.97 * asked, "{on_cpu}: {call}");
                assert!(serial >= 0.97 * asked, "{call}");
            }
            "sleep" => {
                let asked = tasks * 50e6;
                assert!(on_cpu < 0.5 * asked, "{on_cpu}: {call}");
                // Where many programs want a CPU, some of the waits between tasks are taken for theirs.
                assert!(serial >= 0.8 * asked, "{call}");
            }
            _ => {}
        }
    }
}

#[test]
fn of_processes_it_is_known_whatever_starts_them() {
    for method in ["fork", "spawn", "forkserver"] {
        let program = format!(
            "    with multiprocessing.get_context({method:?}).Pool(4) as pool:
        pool.map(compute, range(12), 1)
        pool.map(sleep, range(8), 2)
        list(pool.imap_unordered(compute, range(6)))
        pool.map(little, range(20000))
"
        );
        check(&report(&program), 4);
    }
}

#[test]
fn of_workers_that_are_gone_nothing_is_lost() {
    let program = "    with multiprocessing.Pool(2, maxtasksperchild=1) as pool:
        pool.map(compute, range(6), 1)
        pool.map(sleep, range(6), 1)
    with concurrent.futures.ProcessPoolExecutor(3) as pool:
        list(pool.map(compute, range(6)))
        list(pool.map(sleep, range(6)))
";
    check(&report(program), 4);
}

#[test]
fn of_threads_that_wait_it_is_known_and_of_pools_in_workers() {
    let program = "    with ThreadPool(4) as pool:
        pool.map(sleep, range(8), 1)
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        list(pool.map(sleep, range(8)))
    with multiprocessing.Pool(2) as pool:
        pool.map(nested, range(2), 1)
";
    check(&report(program), 5);
}
