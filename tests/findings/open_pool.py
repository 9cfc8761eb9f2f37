"""Nobody closes the pool, whose tasks run when the program ends: as the argument says."""

import os
import signal
import sys
import threading
from multiprocessing import Pool, Semaphore, active_children

begun = Semaphore(0)


def work(x):
    begun.release()
    threading.Event().wait()


if __name__ == "__main__":
    pool = Pool(2)
    result = pool.map_async(work, range(6), chunksize=1)
    for _ in range(2):
        begun.acquire()
    how = sys.argv[1]
    if how == "exit":
        sys.exit(0)
    if how == "raise":
        raise ValueError("bad row")
    if how == "interrupt":
        for process in active_children():
            os.kill(process.pid, signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)
        result.get()
    if how == "close":
        pool.close()
