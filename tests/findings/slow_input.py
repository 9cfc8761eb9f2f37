"""A generator that takes long for each item, for a few of them longer, and tasks that take none."""

import sys
import time
from multiprocessing import Pool


def work(x):
    return x


def items():
    few = len(sys.argv) > 1
    for x in range(20 if few else 150):
        time.sleep(0.1 if few else 0.02)
        yield x


if __name__ == "__main__":
    with Pool(2) as pool:
        print(sum(pool.imap(work, items())))
