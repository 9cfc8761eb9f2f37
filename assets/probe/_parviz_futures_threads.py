"""The hooks of ThreadPoolExecutor.

| what | where | why nobody notices |
|---|---|---|
| executor made | `_processes` or `_threads`, set in its constructor: a dict or set that tells of workers | plain attributes |
| submitted to threads | constructor of the work item | back before anything raises |
| task starts | `args` read from the item to run | back before it runs |
| initializer raised | `_initializer_failed` looked up by the worker | as above |
| shut down | `_shutdown` set, and `_threads` read, by `shutdown` | plain attributes |

What holds: a worker thread has its progress in the local values of its thread, from its first task on.
"""
import sys

load("_parviz_frames", "_parviz_futures", "_parviz_hooks", "_parviz_progress", "_parviz_ring", "_parviz_tell")


class Threads(set):
    """The workers of an executor."""

    pool = started = 0

    def add(self, thread):
        set.add(self, thread)
        try:
            tell(SPAWN, THREAD, self.pool, thread_number(thread), self.started)
            self.started += 1
        except ours():
            pass


def patch_threads(m):
    item = m._WorkItem
    names = item.__init__.__code__.co_varnames[: item.__init__.__code__.co_argcount]
    if names != ("self", "future", "fn", "args", "kwargs") or not hasattr(item, "run"):
        return no_probe(m.__name__, "its work items are not known")
    inner_files.add(m.ThreadPoolExecutor.submit.__code__.co_filename)
    runs(item.run)
    hook_futures(m)
    run = item.run.__code__
    shutdown = m.ThreadPoolExecutor.shutdown.__code__

    def made(item):
        frame = get_frame(2)
        executor = local_of(frame, "self")
        if not isinstance(executor, m.ThreadPoolExecutor):
            return
        pool = pool_of(executor)
        call, chunk, new = call_of(frame, item.fn, 1)
        tell_call(call, new, pool)
        item.future._parviz = Submitted(call, chunk, NONE, True)
        watch_waits(item.future._condition, call, condition_kinds)
        tell(PUT, 0, call, chunk, NONE, 1)

    def get_arguments(item, arguments):
        there = item.future.__dict__.get("_parviz")
        if there is not None and get_frame(2).f_code is run:
            progress = getattr(local, "progress", None)
            if progress is None:
                progress = local.progress = new_progress()
            progress.run(there.call | there.chunk << 32, now())
        return arguments

    def set_threads(executor, value):
        if type(value) is not set:
            return value
        workers = Threads(value)
        workers.pool = pool_of(executor)
        return workers

    def get_threads(executor, value):
        return joined(value) if get_frame(2).f_code is shutdown else value

    def joined(workers):
        tell(BLOCK, 0, NONE, 9, 0)
        try:
            for thread in workers:
                yield thread
        finally:  # Also where somebody is interrupted while they wait.
            quietly(tell)(UNBLOCK, 0, NONE)

    def closing(executor):
        tell(POOL_CLOSE, SHUTDOWN, pool_of(executor), 0, executor._work_queue.qsize())

    def __setattr__(executor, name, value):
        super(m.ThreadPoolExecutor, executor).__setattr__(name, value)
        if name == "_shutdown" and value and get_frame(1).f_code is shutdown:
            quietly(closing)(executor)

    def broken(executor):
        """Looked up by a worker whose initializer raised, before anything waiting is given an error for it."""
        pool = pool_of(executor)
        note(INITIALIZER_RAISED, pool, error_string(sys.exc_info()[1]), 0, OF_POOL)
        note(BROKEN, pool, NONE, executor._work_queue.qsize(), OF_POOL)

    after_init(item, made)
    if hasattr(m.ThreadPoolExecutor, "_initializer_failed"):
        m.ThreadPoolExecutor._initializer_failed = Before(m.ThreadPoolExecutor._initializer_failed, broken)
    item.args = Attribute("args", None, get_arguments)
    m.ThreadPoolExecutor.__setattr__ = __setattr__
    m.ThreadPoolExecutor._threads = Attribute("_threads", set_threads, get_threads)
