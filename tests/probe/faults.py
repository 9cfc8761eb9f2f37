"""One way to go wrong, by its name. Each ends when it has happened, not after a time."""
import multiprocessing
import os
import signal
import sys
import time
from concurrent.futures import ProcessPoolExecutor, wait
from multiprocessing import pool as pools
from multiprocessing.pool import ThreadPool


def square(x):
    return x * x


def leave(x):
    if x == 1:
        sys.exit(5)
    return x


def die(x):
    if x == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    return x


def fail(*values):
    raise KeyError("no")


def explode(value):
    raise ValueError("no")


class Unreadable:
    def __reduce__(self):
        return fail, ()


class TwoArguments(Exception):
    def __init__(self, a, b):
        super().__init__(a)


def raise_unreadable(x):
    raise TwoArguments(1, 2)


def unpicklable(x):
    return lambda: x


def lost(context, function):
    with context.Pool(1) as pool:
        pool.map_async(function, range(3), chunksize=3)
        # What comes after it is done by the worker that replaces the first.
        print(pool.map(square, [3]))


def worker_exit(context):
    lost(context, leave)


def worker_killed(context):
    lost(context, die)


def thread_exit(context):
    with ThreadPool(1) as pool:
        worker = pool._pool[0]
        pool.map_async(leave, range(3), chunksize=3)
        worker.join()


def unpicklable_argument(context):
    with context.Pool(1) as pool:
        pool.apply_async(square, (Unreadable(),))
        print(pool.map(square, [3]))


def unpicklable_result(context):
    with context.Pool(1) as pool:
        try:
            pool.map(unpicklable, [1, 2], chunksize=2)
        except Exception as error:
            print(type(error).__name__)
    with ProcessPoolExecutor(1, mp_context=context) as executor:
        try:
            executor.submit(unpicklable, 1).result()
        except Exception as error:
            print(type(error).__name__)


def callback_raised(context):
    pool = context.Pool(1)
    pool.apply_async(square, (1,), callback=explode)
    pool._result_handler.join()
    # Nothing else ends such a program.
    os._exit(3)


def callback_raised_key_error(context):
    pool = context.Pool(1)
    never = pool.map_async(square, range(4), chunksize=1, callback=fail)
    never = pool.apply_async(fail, error_callback=fail)
    # The thread that ignored them goes on, and is asked for nothing else before the end of this.
    print(pool.apply_async(square, (2,), callback=print).get(), never.ready())
    pool.terminate()


def result_thread_died(context):
    pool = context.Pool(1)
    pool.apply_async(raise_unreadable, (1,))
    pool._result_handler.join()
    # Nothing else ends such a program.
    os._exit(3)


def initializer_raised(context):
    pool = context.Pool(1, initializer=fail)
    seen = set()
    while len(seen) < 3:
        seen.update(worker.pid for worker in list(pool._pool))
    pool.terminate()


def end(executor):
    """CPython closes the pipe of a broken executor in a thread, and at its own end may still write to it."""
    executor.shutdown(wait=True)


def executor_initializer_raised(context):
    executor = ProcessPoolExecutor(1, mp_context=context, initializer=fail)
    wait([executor.submit(square, 1)])
    end(executor)


def executor_killed(context):
    executor = ProcessPoolExecutor(1, mp_context=context)
    wait([executor.submit(die, 1)])
    end(executor)


def left_outstanding(context):
    with context.Pool(1) as pool:
        pool.apply_async(wait_for_ever, ())
        results = pool.imap(square, range(5))
        while results._length is None:
            time.sleep(0.001)


def wait_for_ever():
    signal.pause()


def hidden_error(context):
    with context.Pool(1) as pool:
        pool.apply_async(fail, (1,)).wait()


def is_waiting(pid):
    with open("/proc/%d/stat" % pid) as file:
        return file.read().rsplit(")", 1)[1].split()[0] == "S"


def lock_held(context):
    # Nobody replaces them.
    pools.Pool._maintain_pool = staticmethod(lambda *arguments: None)
    pool = context.Pool(2)
    pool.map(square, range(2))
    quiet = 0
    while quiet < 20:
        quiet = quiet + 1 if all(is_waiting(worker.pid) for worker in pool._pool) else 0
        time.sleep(0.001)
    for worker in pool._pool:
        os.kill(worker.pid, signal.SIGKILL)
        os.waitpid(worker.pid, 0)
    os._exit(0)


if __name__ == "__main__":
    globals()[sys.argv[1]](multiprocessing.get_context(sys.argv[2]))
