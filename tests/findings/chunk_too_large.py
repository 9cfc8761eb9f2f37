"""Two chunks for four workers."""

import time
from multiprocessing import Pool


def work(x):
    time.sleep(0.5)


if __name__ == "__main__":
    with Pool(4) as pool:
        pool.map(work, range(8), chunksize=4)
