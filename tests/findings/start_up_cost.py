"""A pool of fresh interpreters for four tasks that do nothing."""

from multiprocessing import get_context

if __name__ == "__main__":
    with get_context("spawn").Pool(2) as pool:
        print(pool.map(abs, [-1, -2, -3, -4]))
