"""A task raises an exception that cannot be made again from its args."""

import time
from multiprocessing import Pool


class Unreadable(Exception):
    def __init__(self, what, why):
        super().__init__(what)


def work(x):
    raise Unreadable("this", "that")


if __name__ == "__main__":
    pool = Pool(1)
    pool.apply_async(work, (1,))
    while pool._result_handler.is_alive():
        time.sleep(0.01)
