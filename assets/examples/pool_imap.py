"""imap gives results one by one, in input order."""

import time
from multiprocessing import Pool


def work(tenths):
    time.sleep(tenths / 10)
    return tenths


if __name__ == "__main__":
    started = time.perf_counter()
    with Pool(4) as pool:
        for tenths in pool.imap(work, [6, 5, 2, 1, 2, 6, 1, 3]):
            after = time.perf_counter() - started
            print(f"a task of 0.{tenths} s, received after {after:.2f} s")
