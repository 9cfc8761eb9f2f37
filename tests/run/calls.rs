//! Calls as real programs make them, and what the report says of each.

use super::script::Script;

#[test]
fn executors_in_workers_of_an_executor_are_counted_by_themselves() {
    let script = Script::new(
        r#"
from concurrent.futures import ProcessPoolExecutor

def leaf(x):
    return sum(range(500_000))

def inner(tasks):
    with ProcessPoolExecutor(2) as pool:
        return len(list(pool.map(leaf, range(tasks), chunksize=5)))

if __name__ == "__main__":
    with ProcessPoolExecutor(2) as pool:
        print(list(pool.map(inner, range(8, 16))))
"#,
    );
    let (said, report) = script.watch(&[]);
    assert_eq!(said.out, "[8, 9, 10, 11, 12, 13, 14, 15]\n");
    assert_eq!(report["counts"]["tasks"], 8 + (8..16).sum::<u64>());
    for call in report["calls"].as_array().unwrap() {
        for order in ["started", "finished", "delivered"] {
            let tasks = call["orders"][order].as_array().unwrap().len();
            assert_eq!(Some(tasks as u64), call["tasks"].as_u64(), "{order} {call}");
        }
    }
}
