"""Four times as many processes as CPUs, and all of them compute."""

import os
import time
from multiprocessing import Pool

CPUS = len(os.sched_getaffinity(0))


def work(x):
    end = time.process_time() + 0.2
    while time.process_time() < end:
        sum(range(1000))


if __name__ == "__main__":
    with Pool(4 * CPUS) as pool:
        pool.map(work, range(4 * CPUS), chunksize=1)
