"""Which standard descriptors are open, beside a pool that works; written into the file that is named."""
import os
import sys
from multiprocessing import get_context


def square(x):
    return x * x


def is_open(number):
    try:
        os.fstat(number)
    except OSError:
        return False
    return True


def main():
    before = [is_open(number) for number in range(3)]
    with open(sys.argv[1], "w") as said:
        # The file itself may stand where one was closed.
        with get_context("fork").Pool(1) as pool:
            print(before, pool.map(square, range(3)), said.fileno(), file=said)


if __name__ == "__main__":
    main()
