"""Iterators that the program does not take to their end, though all their tasks are done."""

from multiprocessing import Pool


def work(x):
    if x == 1:
        raise ValueError("task 1")
    return x


if __name__ == "__main__":
    with Pool(2) as pool:
        left = pool.imap(abs, range(8))
        next(left)
        for chunksize in (1, 2):
            try:
                list(pool.imap(work, range(8), chunksize))
            except ValueError as error:
                print(error)
        pool.close()
        pool.join()
