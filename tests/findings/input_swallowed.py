"""imap reads the whole input before the first result is there."""

from multiprocessing import Event, Pool

read = Event()


def numbers():
    yield from range(500)
    read.set()


def work(x):
    read.wait()
    return x


if __name__ == "__main__":
    with Pool(2) as pool:
        print(sum(pool.imap(work, numbers())))
