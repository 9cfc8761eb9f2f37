"""starmap_async returns at once; a callback gets the list."""

import itertools
import time
from multiprocessing import Pool


def power(base, exponent):
    time.sleep(0.1)  # stands for real work
    return base**exponent


def report(powers):
    print("callback:", len(powers), "results at once")


if __name__ == "__main__":
    pairs = list(itertools.product([2, 3, 4, 5], [2, 4, 6, 8]))
    with Pool(4) as pool:
        result = pool.starmap_async(power, pairs, chunksize=1, callback=report)
        print("main goes on; all results there:", result.ready())
        powers = result.get()  # the callback has run before this returns
    print(powers)
