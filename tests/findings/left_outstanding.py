"""The pool ends before the tasks do: as the argument says, or with its `with` block."""

import os
import signal
import sys
from multiprocessing import Event, Pool

never = Event()


def work(x):
    never.wait()


def deaf():
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def leave():
    with Pool(2, deaf) as pool:
        pool.map_async(work, range(6), chunksize=1)


if __name__ == "__main__":
    how = sys.argv[1] if len(sys.argv) > 1 else ""
    if how == "handling":
        try:
            raise ValueError("something else")
        except ValueError:
            sys.exit(leave())
    try:
        with Pool(2, deaf) as pool:
            result = pool.map_async(work, range(6), chunksize=1)
            if how == "terminate":
                pool.terminate()
            elif how == "error":
                raise ValueError("something else")
            elif how:
                try:
                    os.kill(os.getpid(), signal.SIGINT)
                    result.get()
                except KeyboardInterrupt:
                    if how == "caught":
                        pool.terminate()
                    sys.exit(130)
        print("left")
    except KeyboardInterrupt:
        sys.exit(130)
