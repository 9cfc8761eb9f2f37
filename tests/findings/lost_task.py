"""Task 3 kills its worker; everything else gets done, and then the program gives up."""

import multiprocessing
import os
import signal
import time
from multiprocessing import Pool


def work(x):
    if x == 3:
        os.kill(os.getpid(), signal.SIGKILL)


def workers():
    return {worker.pid for worker in multiprocessing.active_children()}


if __name__ == "__main__":
    with Pool(2) as pool:
        first = workers()
        result = pool.map_async(work, range(6), chunksize=1)
        while result._number_left > 1 or not workers() - first:
            time.sleep(0.01)
