//! What a program raises while the probe works reaches the program, as a timeout of it does.

use super::script::Script;

/// Raises at the first, the second, … function of the probe that runs in a call of a pool.
const RAISING: &str = r#"
import sys
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.pool import ThreadPool

class Own(Exception):
    pass

class At:
    """Raises this when as many functions of the probe as that have begun."""

    def __init__(self, number, kind):
        self.left, self.kind = number, kind

    def __call__(self, frame, event, argument):
        if event == "call" and frame.f_code.co_filename.startswith("<parviz"):
            self.left -= 1
            if self.left < 0:
                sys.setprofile(None)
                raise self.kind

def swallowed(use):
    count = number = 0
    kinds = [Own, TimeoutError, ValueError]
    while True:
        at = At(number, kinds[number % 3])
        try:
            sys.setprofile(at)
            use()
            sys.setprofile(None)
            if at.left >= 0:
                return number > 5, count
            count += 1
        except at.kind:
            pass
        number += 1

if __name__ == "__main__":
    with ThreadPoolExecutor(1) as pool:
        print(swallowed(lambda: pool.submit(int).result()))
    with ThreadPool(1) as pool:
        print(swallowed(lambda: pool.apply_async(int).get()))
"#;

#[test]
fn what_interrupts_the_probe_reaches_the_program() {
    let (said, _) = Script::new(RAISING).watch(&[]);
    assert_eq!(said.out, "(True, 0)\n(True, 0)\n", "{}", said.err);
}
