"""The workers retire after a task each, and nobody replaces them; then the program gives up."""

import os
import time
from multiprocessing.pool import Pool


def work(x):
    return x


if __name__ == "__main__":
    begun = time.monotonic()
    Pool._maintain_pool = staticmethod(lambda *_: None)
    pool = Pool(2, maxtasksperchild=1)
    pool.map_async(work, range(6), chunksize=1)
    while any(worker.is_alive() for worker in pool._pool):
        time.sleep(0.01)
    time.sleep(2 + time.monotonic() - begun)  # only what waits for long waits for ever
    os._exit(0)
