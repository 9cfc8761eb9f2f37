"""Threads that compute: one of them at a time has the interpreter."""

import time
from concurrent.futures import ThreadPoolExecutor


def work(x):
    end = time.thread_time() + 0.2
    while time.thread_time() < end:
        sum(range(1000))


if __name__ == "__main__":
    with ThreadPoolExecutor(4) as executor:
        list(executor.map(work, range(8)))
