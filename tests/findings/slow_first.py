"""The first item of a generator comes late, and the tasks do nothing."""

import time
from multiprocessing import Pool


def items():
    time.sleep(1.5)
    yield from range(20)


if __name__ == "__main__":
    with Pool(2) as pool:
        print(sum(pool.imap(abs, items())))
