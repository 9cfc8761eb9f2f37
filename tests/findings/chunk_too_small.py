"""A message for each of many tasks that do nothing."""

from multiprocessing import Pool

if __name__ == "__main__":
    with Pool(2) as pool:
        pool.map(abs, range(30_000), chunksize=1)
