"""The with block ends before the tasks do."""

from multiprocessing import Event, Pool

never = Event()


def work(x):
    never.wait()


if __name__ == "__main__":
    with Pool(2) as pool:
        pool.map_async(work, range(6), chunksize=1)
    print("left")
