"""A program that stops its clocks before it imports what makes pools, as tests that need a fixed time do."""
import time

time.monotonic_ns = lambda: 1_000_000_000
time.thread_time_ns = lambda: 1

import multiprocessing.pool  # noqa: E402

if __name__ == "__main__":
    with multiprocessing.pool.ThreadPool(2) as pool:
        print(pool.map(abs, range(4)))
    with multiprocessing.get_context("fork").Pool(2) as pool:
        print(pool.map(abs, range(4)))
