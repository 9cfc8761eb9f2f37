"""starmap unpacks tuples: functions of several arguments."""

import itertools
import time
from multiprocessing import Pool


def power(base, exponent):
    time.sleep(0.1)  # stands for real work
    return base**exponent


if __name__ == "__main__":
    pairs = list(itertools.product([2, 3, 4, 5], [2, 4, 6, 8]))
    with Pool(4) as pool:
        powers = pool.starmap(power, pairs, chunksize=1)

    for (base, exponent), result in zip(pairs, powers):
        print(f"{base} to the power of {exponent} is {result}")
