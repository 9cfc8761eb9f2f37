"""Task 2 leaves its worker with sys.exit(7); everything else gets done."""

import multiprocessing
import sys
import time
from multiprocessing import Pool


def work(x):
    if x == 2:
        sys.exit(7)


def workers():
    return {worker.pid for worker in multiprocessing.active_children()}


if __name__ == "__main__":
    with Pool(2) as pool:
        first = workers()
        result = pool.map_async(work, range(6), chunksize=1)
        while result._number_left > 1 or not workers() - first:
            time.sleep(0.01)
