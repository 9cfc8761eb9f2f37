"""Four workers, and a main program that waits for each task before it sends the next."""

import sys
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import Pool


def work(x):
    time.sleep(0.1)
    return x


if __name__ == "__main__":
    if "submit" in sys.argv:
        with ProcessPoolExecutor(4) as executor:
            print(sum(executor.submit(work, x).result() for x in range(8)))
    else:
        with Pool(4) as pool:
            print(sum(pool.apply(work, (x,)) for x in range(8)))
