"""A call whose items do nothing."""
import multiprocessing
import sys


def nothing(x):
    return x


if __name__ == "__main__":
    with multiprocessing.get_context(sys.argv[1]).Pool(2) as pool:
        print(len(pool.map(nothing, range(100000))))
