"""imap reads the whole input before the first result is there, or before any is taken."""

import sys
import time
from multiprocessing import Pool


def work(x):
    return bytes(100_000)


def items(pool):
    for x in range(500):
        if x == 499 and len(sys.argv) < 2:
            (results,) = pool._cache.values()
            while len(results._items) < 400:
                time.sleep(0.01)
        yield x


if __name__ == "__main__":
    with Pool(2) as pool:
        results = pool.imap(work, items(pool))
        while results._length is None or len(results._items) < 500:
            time.sleep(0.01)
        print(sum(map(len, results)))
