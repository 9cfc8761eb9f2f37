"""All but the last task are short."""

import time
from multiprocessing import Pool


def work(x):
    time.sleep(0.5 if x == 7 else 0.05)


if __name__ == "__main__":
    with Pool(4) as pool:
        pool.map(work, range(8), chunksize=1)
