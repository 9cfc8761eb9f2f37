"""A callback that raises; afterwards nothing comes to its end."""

import time
from multiprocessing import Pool


def callback(result):
    raise ValueError("no such result")


if __name__ == "__main__":
    pool = Pool(2)
    pool.apply_async(abs, (-1,), callback=callback)
    while pool._result_handler.is_alive():
        time.sleep(0.01)
    pool.apply_async(abs, (-2,))
