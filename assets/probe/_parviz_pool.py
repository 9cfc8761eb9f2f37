"""The hooks of multiprocessing.Pool and ThreadPool: the pool and its workers, as the parent sees them.

| what | where | why nobody notices |
|---|---|---|
| pool made, workers | `_processes`, `_pool` of a pool, set in its constructor: a list that tells | plain attributes |
| message sent | tasks on their way through `map`; `_send_bytes` of the connection | below what can raise |
| result received, callback over | `_quick_get` | no frame, see `between` |
| closed, joined | `_worker_handler` and `_terminate` read by those methods | plain attributes |
| ended with the interpreter | `_callback` of its finalizer, read when that is called | plain attribute |

What holds: the program gets what it would get, in the order it would; a hook that cannot do its work leaves it.
"""
import os
import sys

load("_parviz_children", "_parviz_pool_results", "_parviz_pool_workers")
load("_parviz_frames", "_parviz_hooks", "_parviz_progress", "_parviz_ring", "_parviz_tell")


def patch_pool(m):
    wanted = ("ApplyResult", "MapResult", "IMapIterator", "IMapUnorderedIterator", "Pool", "ThreadPool")
    wanted += ("_PoolCache", "_helper_reraises_exception", "mapstar", "starmapstar", "worker", "util")
    missing = [name for name in wanted if not hasattr(m, name)]
    if missing:
        return no_probe(m.__name__, "it has no " + ", ".join(missing))
    inner_files.update((m.__file__, m.threading.__file__, m.Pool.apply.__code__.co_filename))
    inner_files.add(m.threading.Event.wait.__code__.co_filename)
    runs(m.worker, m.mapstar, m.starmapstar, m.threading.Thread.run, m.threading.Timer.run)
    runs(*(kind._set for kind in (m.ApplyResult, m.MapResult, m.IMapIterator, m.IMapUnorderedIterator)))
    hook_pools(m)
    hook_results(m)
    hook_worker_processes(m)
    hook_worker_threads(m)


class Workers(list):
    """The workers of a pool as the pool keeps them."""

    pool = 0
    started = 0

    def append(self, worker):
        list.append(self, worker)
        try:
            child, flags = child_of(worker)
            tell(SPAWN, flags, self.pool, child, self.started)
            self.started += 1
        except ours():
            pass

    def __delitem__(self, index):
        try:
            worker = self[index]
            child, flags = child_of(worker)
            exit_code = int(worker.exitcode or 0) & NONE
            tell(REAP, flags, self.pool, child, exit_code)
        except ours():
            pass
        list.__delitem__(self, index)


def child_of(worker):
    if hasattr(worker, "pid"):
        return worker.pid or 0, 0
    return thread_number(worker), THREAD


def hook_pools(m):
    join = m.Pool.join.__code__
    close = m.Pool.close.__code__
    terminate = m.Pool.terminate.__code__
    leave = m.Pool.__exit__.__code__

    def set_workers(pool, value):
        if type(value) is not list or value:
            return value
        workers = Workers(value)
        workers.pool = pool.__dict__["_parviz"] = pools()
        return workers

    def get_workers(pool, value):
        frame = get_frame(2)
        if frame.f_code is join:  # It goes through its workers when all else has ended.
            waiting = frame.f_trace
            if type(waiting) is Waiting:
                return waiting.each(value)
            tell(UNBLOCK, 0, NONE)
        return value

    def set_processes(pool, value):
        threads_only = isinstance(pool, m.ThreadPool)
        method = None if threads_only else pool._ctx.get_start_method(allow_none=True)
        text = string(("ThreadPool" if threads_only else "Pool") + "\0" + (method or ""))
        tell(POOL_OPEN, 0, pool.__dict__["_parviz"], min(value, NONE), text)
        return value

    def closing(pool, how):
        number = pool.__dict__["_parviz"]
        tell(POOL_CLOSE, how, number, 0, min(len(pool._cache), NONE))

    def get_worker_handler(pool, value):
        frame = get_frame(2)
        if frame.f_code is close:
            closing(pool, CLOSE)
        elif frame.f_code is join:
            Waiting(frame, 8)
        return value

    def get_terminate(pool, value):
        frame = get_frame(2)
        if frame.f_code is terminate:
            outer = frame.f_back
            if outer is not None and outer.f_code is leave:
                error, how = local_of(outer, "exc_val"), WITH
            else:
                error, how = sys.exc_info()[1], TERMINATE
            closing(pool, how if error is None else RAISING)
        return value

    finalize = m.util.Finalize
    run = finalize.__call__.__code__

    def get_callback(finalizer, value):
        """What has not been terminated by then is now: the interpreter exits, or nobody has the pool any more."""
        if get_frame(2).f_code is run and finalizer._pid == os.getpid():
            how = EXIT if getattr(sys, "last_value", None) is None else RAISING
            tell(POOL_CLOSE, how, finalizer._parviz, 0, min(len(finalizer._args[-1]), NONE))
        return value

    class Finalizer(finalize):
        _callback = Attribute("_callback", None, get_callback)

    like_class(Finalizer, finalize)

    def set_terminate(pool, finalizer):
        if type(finalizer) is finalize:
            finalizer._parviz = pool.__dict__["_parviz"]
            finalizer.__class__ = Finalizer
        return finalizer

    mapstar, starmapstar, reraises = m.mapstar, m.starmapstar, m._helper_reraises_exception

    def put_task(pool, task, size):
        job, index, function, arguments, _ = task
        count = 1
        if function is mapstar or function is starmapstar:
            count = min(len(arguments[0][1]), 65535)
        elif function is reraises:
            count = 0
        call = job & 0x7FFFFFFF
        if call not in told_calls:
            told_calls[call] = False
            tell(CALL, 0, call, string("\0" + name_of(function) + "\0\0"), NONE)
            tell(CALL_IN, 0, call, pool, NONE)
        t = now()
        emit(10 | NO_CPU | me() << 32 | count << 48, t, call | (index & 0xFFFFFFFF) << 32, size)
        return t

    def set_quick_put(pool, send):
        number = pool.__dict__["_parviz"]
        connection_of = getattr(send, "__self__", None)
        if getattr(send, "__name__", "") == "send" and hasattr(connection_of, "_send_bytes"):
            hook_connection(pool, number, connection_of)
            return send

        def put(task):
            if task is not None:
                try:
                    put_task(number, task, NONE)
                except ours():
                    pass
            return send(task)

        return put

    def hook_connection(pool, number, there):
        send_bytes = there._send_bytes
        going = pool.__dict__["_parviz_going"] = Going()

        def _send_bytes(data):
            task, going.task = going.task, None
            size = len(data)
            if task is not None and size > 8:  # The sign to leave is shorter than any task.
                try:
                    t = put_task(number, task, size if size < NONE else NONE)
                    if t - going.since >= DEAR:
                        took = min(t - going.since, NONE)
                        tell(COST, PICKLING, call_number(task[0]), task[1] & NONE, took, 0, t)
                except ours():
                    pass
                task = None
            return send_bytes(data)

        there._send_bytes = _send_bytes

    def set_quick_get(pool, get):
        # The call whose callback may just have run.
        due = []

        def passed_over():
            """The thread that hands out results ignores a KeyError of a callback: its call stays as it was."""
            try:
                if due:
                    job = due.pop()
                    result = local_of(get_frame(1), "cache").get(job)
                    if result is not None and not getattr(result, "_number_left", 0):
                        note(CALLBACK_RAISED, call_number(job), string("KeyError"), 1)
            except ours():
                pass

        def received(_, task):
            try:
                if task is not None:
                    job, index, result = task
                    head = 0x112 if result[0] else 18
                    call = job & 0x7FFFFFFF
                    if told_calls.get(call):  # It has no callback: nothing more stands between it and its use.
                        del told_calls[call]
                        head |= 0x200
                    emit(head | NO_CPU | me() << 32, now(), call | (index & 0xFFFFFFFF) << 32, NONE)
                    result = None
                    if call in with_callback:
                        due.append(job)
            except ours():
                pass
            return task

        return between(passed_over, get, received)

    def set_result_handler(pool, thread):
        watch_result_thread(m, thread, pool.__dict__["_parviz"])
        return thread

    m.Pool._result_handler = Attribute("_result_handler", set_result_handler)
    m.Pool._pool = Attribute("_pool", set_workers, get_workers)
    m.Pool._processes = Attribute("_processes", set_processes)
    m.Pool._worker_handler = Attribute("_worker_handler", None, get_worker_handler)
    m.Pool._terminate = Attribute("_terminate", set_terminate, get_terminate)
    m.Pool._quick_put = Attribute("_quick_put", set_quick_put)
    m.Pool._quick_get = Attribute("_quick_get", set_quick_get)


def watch_result_thread(m, thread, pool):
    """Tells if the thread that hands out results dies of an exception, such as that of a callback."""
    handle = thread._invoke_excepthook
    setters = {kind._set.__code__ for kind in (m.ApplyResult, m.MapResult, m.IMapIterator)}

    def died(error):
        text = error_string(error)
        step = error.__traceback__
        while step is not None:
            frame = step.tb_frame
            if frame.f_code in setters and step.tb_next is not None:
                note(CALLBACK_RAISED, call_number(local_of(frame, "self")._job), text, 0)
                break
            step = step.tb_next
        note(RESULT_THREAD_DIED, pool, text, 0, OF_POOL)

    def _invoke_excepthook(*arguments):
        try:
            error = sys.exc_info()[1]
            if error is not None:
                died(error)
            error = None
        except ours():
            pass
        return handle(*arguments)

    thread._invoke_excepthook = _invoke_excepthook
