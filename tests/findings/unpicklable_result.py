"""A task returns a function without a name that anybody could find."""

from multiprocessing import Pool
from multiprocessing.pool import MaybeEncodingError


def work(x):
    return (lambda: x) if x == 5 else x


if __name__ == "__main__":
    with Pool(2) as pool:
        try:
            pool.map(work, range(8), chunksize=4)
        except MaybeEncodingError:
            print("an error instead of results")
