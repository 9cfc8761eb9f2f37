"""One experiment of the lab on CPython's own pools; experiment.json stands beside this file.

What happens is seen from outside, as in any program. On its standard output it says only what cannot
be seen so, a JSON object a line: the version, when all is started, the tasks of a plain loop and when it is
over, which task hangs now, when main has all it asked for, the counter.
"""

import json
import os
import signal
import sys
import threading
import time

with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "experiment.json")) as file:
    SPEC = json.load(file)
CALM = 20_000_000  # ns of a CPU: about what the calibration takes
G = 0  # the counter that tasks increment
LOCK = threading.Lock()


class Item(int):
    """A number that carries bytes when it is sent."""

    def __reduce__(self):
        return unpack_item, (int(self), bytes(SPEC["payload"]))


def unpack_item(value, _payload):
    return Item(value)


class Result(tuple):
    """(pid, counter), with as many bytes when it is sent."""

    def __reduce__(self):
        return unpack_result, (tuple(self), bytes(SPEC["payload"]))


def unpack_result(value, _payload):
    return Result(value)


def spin(steps):
    """Work that a processor has to do."""
    value = 1
    for _ in range(steps):
        value = value * 69069 & 0xFFFFFFFF
    return value


def steps_in_a_ms():
    """How much of it fits into a millisecond here: the best of several tries. Only time on a CPU counts:
    on a machine where others compute, the time of each try by the wall may be many times as long."""
    best, end = 0.0, time.thread_time_ns() + CALM
    while time.thread_time_ns() < end:
        begin = time.thread_time_ns()
        spin(10_000)
        best = max(best, 10_000 / max(1, time.thread_time_ns() - begin))
    return best * 1_000_000


def work(index):
    """Task number `index`: its cost, its part of the counter, and what goes wrong in it."""
    global G
    cost, waits = SPEC["works"][index]
    if waits:
        time.sleep(cost / 1e9)
    else:
        spin(int(cost / 1e6 * PACE))
    if SPEC["effect"] == "count":
        with LOCK:
            G += 1
    elif SPEC["effect"] == "race":
        for _ in range(SPEC["increments"]):
            if SPEC["lock"]:
                with LOCK:
                    G += 1
            else:
                seen = G
                time.sleep(0)
                G = seen + 1
    fault = SPEC["faults"].get(str(index))
    if fault == "raise":
        if SPEC["effect"] != "none":
            say(copy=os.getpid(), counted=G)  # No result carries it.
        raise ValueError("task %d failed" % index)
    if fault == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    if fault == "hang":
        say(hangs=index, at=time.monotonic_ns())
        threading.Event().wait()
    return Result((os.getpid(), G))


if SPEC["two_arguments"]:

    def f(x, y):
        return work(x)

else:

    def f(x):
        return work(x)


def prepare(pace):
    """In every worker: parents and children of a spawn share no memory."""
    global PACE
    PACE = pace


def say(**facts):
    print(json.dumps(facts), flush=True)


def own_work(done=[]):
    """What the main program does besides, once."""
    if not done:
        done.append(True)
        time.sleep(SPEC["main_work"] / 1e9)


def arguments(item):
    """A call takes a tuple of arguments, whatever the item is."""
    return item if isinstance(item, tuple) else (item,)


def with_pool(pool, items, chunks):
    """The methods of Pool and ThreadPool."""
    method = SPEC["method"]
    if method in ("map", "starmap"):
        results = getattr(pool, method)(f, items, **chunks)
    elif method in ("map_async", "starmap_async"):
        coming = getattr(pool, method)(f, items, **chunks)
        own_work()
        return coming.get()
    elif method in ("imap", "imap_unordered"):
        coming = getattr(pool, method)(f, items, **chunks)
        own_work()
        return list(without_errors(coming)) if chunks.get("chunksize", 1) == 1 else list(coming)
    elif method == "apply":
        results = [pool.apply(f, arguments(item)) for item in items]
    else:
        taken = []
        coming = [pool.apply_async(f, arguments(item), callback=taken.append) for item in items]
        own_work()
        return [each.get() for each in coming]
    own_work()
    return results


def without_errors(coming):
    """Asks for the next item after one that raised. With larger chunks the iterator would be dead by then."""
    while True:
        try:
            yield next(coming)
        except StopIteration:
            return
        except Exception:
            pass


def with_executor(executor, items, chunks):
    """What comes nearest in concurrent.futures, which has `map` and `submit` only."""
    from concurrent.futures import as_completed

    method = SPEC["method"]
    columns = list(zip(*items)) if method.startswith("starmap") else [items]
    if method in ("map", "starmap"):
        results = list(executor.map(f, *columns, **chunks))
    elif method in ("map_async", "starmap_async", "imap"):
        coming = executor.map(f, *columns, **chunks)
        own_work()
        return list(coming)
    elif method == "apply":
        results = [executor.submit(f, *arguments(item)).result() for item in items]
    else:
        coming = [executor.submit(f, *arguments(item)) for item in items]
        own_work()
        in_turn = as_completed(coming) if method == "imap_unordered" else coming
        return [each.result() for each in in_turn]
    own_work()
    return results


def with_loop(items):
    results = []
    for index, item in enumerate(items):
        say(began=index, at=time.monotonic_ns())
        before, error = spent(), None
        try:
            results.append(f(*arguments(item)))
        except Exception as raised:
            error = told(raised)
            raise
        finally:
            took = [end - begin for begin, end in zip(before, spent())]
            say(ended=index, at=time.monotonic_ns(), took=took, error=error)
    say(looped=time.monotonic_ns())
    own_work()
    return results


def spent():
    """How long this thread was on a CPU and waited for one, in ns; of the latter nothing where nobody knows."""
    on_cpu = time.thread_time_ns()
    try:
        with open("/proc/thread-self/schedstat") as file:
            return on_cpu, int(file.read().split()[1])
    except (OSError, ValueError, IndexError):
        return (on_cpu,)


def told(error):
    return "%s: %s" % (type(error).__name__, error)


def make_pool():
    """The pool, and what is to be done with it at the end."""
    kind, workers = SPEC["pool"], SPEC["workers"]
    if kind == "threadpool":
        from multiprocessing.pool import ThreadPool

        pool = ThreadPool(workers)
        return pool, pool.terminate
    import multiprocessing

    context = multiprocessing.get_context(SPEC["start_method"])
    if kind == "executor":
        from concurrent.futures import ProcessPoolExecutor

        pool = ProcessPoolExecutor(workers, context, prepare, (PACE,))
        # Python 3.8 may hang at its exit after a shutdown that does not wait.
        return pool, lambda: pool.shutdown(wait=sys.version_info < (3, 9))
    pool = context.Pool(workers, prepare, (PACE,))
    return pool, pool.terminate


def finish(pool):
    """An error ends the main program, and with it the pool: tasks that nobody asks for any more come to their end
    first, unless one of them never does."""
    if not set(SPEC["faults"].values()) <= {"raise"}:
        return
    if SPEC["pool"] == "executor":
        pool.shutdown()
    else:
        pool.close()
        pool.join()


def tell_counter(results):
    for pid, value in dict(sorted(results)).items():
        say(copy=pid, counted=value)
    say(main=os.getpid(), counter=G)


def end_with_parent():
    """Nothing of this is to stay behind when the program that shows it has gone."""
    parent = os.getppid()

    def look():
        while os.getppid() == parent:
            time.sleep(0.2)
        os.killpg(0, signal.SIGKILL)

    threading.Thread(target=look, daemon=True).start()


def main():
    say(python="%d.%d.%d" % sys.version_info[:3])
    prepare(steps_in_a_ms())
    items = [Item(k) if SPEC["payload"] else k for k in range(len(SPEC["works"]))]
    if SPEC["pairs"]:
        items = [(item, int(item) + 1) for item in items]
    chunks = {} if SPEC["chunksize"] is None else {"chunksize": SPEC["chunksize"]}
    pool, end = (None, None) if SPEC["method"] == "loop" else make_pool()
    end_with_parent()
    say(ready=time.monotonic_ns())
    time.sleep(SPEC["serial"] / 1e9)
    way = with_executor if SPEC["pool"] == "executor" else with_pool
    try:
        results = with_loop(items) if pool is None else way(pool, items, chunks)
    except Exception as error:
        say(done=time.monotonic_ns(), error=type(error).__name__)
        if pool is not None:
            finish(pool)
        raise
    say(done=time.monotonic_ns())
    if SPEC["effect"] != "none":
        tell_counter(results)
    if end:
        end()


if __name__ == "__main__":
    main()
