"""The main program waits for the pool, and then computes something that has nothing to do with it."""

import time
from multiprocessing import Pool


def work(x):
    time.sleep(0.3)


if __name__ == "__main__":
    with Pool(2) as pool:
        pool.map(work, range(8), chunksize=1)
    end = time.process_time() + 1.2
    while time.process_time() < end:
        sum(range(1000))
