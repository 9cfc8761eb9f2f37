"""Workers that make a pool of their own, which the processes of a pool may not have."""

from multiprocessing import Pool


def work(x):
    try:
        with Pool(2) as pool:
            return pool.map(abs, [x])
    except AssertionError:
        return "no pool"


if __name__ == "__main__":
    with Pool(2) as pool:
        print(pool.map(work, range(2)))
