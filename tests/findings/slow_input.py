"""A generator that takes long for each item, and tasks that take none."""

import time
from multiprocessing import Pool


def work(x):
    return x


def items():
    for x in range(150):
        time.sleep(0.02)
        yield x


if __name__ == "__main__":
    with Pool(2) as pool:
        print(sum(pool.imap(work, items())))
