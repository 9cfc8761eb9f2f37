"""The hooks of ProcessPoolExecutor, in the parent and in its workers.

| what | where | why nobody notices |
|---|---|---|
| executor made | `_processes` or `_threads`, set in its constructor: a dict or set that tells of workers | plain attributes |
| submitted to processes | `_pending_work_items`: a dict that tells | plain attribute |
| sent to a worker | `_send_bytes` of the call queue | below what can raise |
| worker process | after-fork hook of multiprocessing: stand-ins for the two queues | back before they wait |
| task starts | `args` read from the item to run | back before it runs |
| shut down | the manager thread read by `shutdown` | plain attributes |

What holds: a worker knows its message by a work id only; the parent tells which call and chunk that is.
"""
import sys
from functools import partial

load(
    "_parviz_children",
    "_parviz_frames",
    "_parviz_futures",
    "_parviz_hooks",
    "_parviz_progress",
    "_parviz_ring",
    "_parviz_tell",
)


def work_of(m, function, arguments):
    """The function of the program and how many items: a chunk of a `map` is wrapped."""
    chunk_of = getattr(m, "_process_chunk", None)
    if type(function) is partial and function.func is chunk_of and chunk_of and len(arguments) == 1:
        return function.args[0], min(len(arguments[0]), 65535)
    return function, 1


class Processes(dict):
    """The workers of an executor, by pid."""

    pool = started = 0

    def __setitem__(self, pid, process):
        dict.__setitem__(self, pid, process)
        try:
            tell(SPAWN, 0, self.pool, pid, self.started)
            self.started += 1
        except ours():
            pass


class Pending(dict):
    """The work of an executor that has no result, by work id."""

    over = False

    def __setitem__(self, work, item):
        try:
            self.submitted(work, item)
        except ours():
            pass
        dict.__setitem__(self, work, item)

    def submitted(self, work, item):
        function, count = work_of(self.module, item.fn, item.args)
        call, chunk, new = call_of(get_frame(2), function, count)
        tell_call(call, new, self.pool)
        item.future._parviz = Submitted(call, chunk, work, False)
        watch_waits(item.future._condition, call, condition_kinds)
        self.known[work] = call, chunk, count
        tell(SUBMIT, 0, call, chunk, work & NONE, count)

    def __getitem__(self, work):
        # On its way into the queue.
        if work in self.known:
            self.going.append(work)
        return dict.__getitem__(self, work)

    def __delitem__(self, work):
        # It was cancelled instead.
        if self.going and self.going[-1] == work:
            self.going.pop()
        self.known.pop(work, None)
        dict.__delitem__(self, work)

    def pop(self, work, *default):
        if get_frame(1).f_code.co_name == "_on_queue_feeder_error" and work in self.going:
            self.going.remove(work)
        self.known.pop(work, None)
        return dict.pop(self, work, *default)

    def items(self):
        # Asked for to give each of them the error of a broken executor.
        if get_frame(1).f_code.co_name.endswith(("terminate_broken", "_queue_management_worker")):
            self.give_up(get_frame(1))
        return dict.items(self)

    def clear(self):
        self.give_up(get_frame(1))
        self.known.clear()
        dict.clear(self)

    def give_up(self, frame):
        if not self.over:
            self.over = True
            quietly(self.tell_dead)(frame)
            if self:
                quietly(note)(BROKEN, self.pool, NONE, len(self), OF_POOL)

    def tell_dead(self, frame):
        """Of the workers that are gone by then; the others are made to end. One that has just gone may have no
        exit code for a moment; what has none after a second was killed as far as anybody knows."""
        manager, processes = locals_of(frame, "self", "processes")
        if processes is None:
            processes = manager.processes
        workers = {process.sentinel: process for process in list(processes.values())}
        for sentinel in self.module.mp.connection.wait(list(workers), 0):
            process = workers[sentinel]
            late = now() + 1_000_000_000
            code = process.exitcode
            while code is None and now() < late:
                sleep(0.0005)
                code = process.exitcode
            tell(REAP, 0, self.pool, process.pid, (-0x80000000 if code is None else code) & NONE)


def hook_manager(m):
    """A manager that cancels what waits goes on with a new dict of what is left. Nobody does that before 3.9."""
    manager = getattr(m, "_ExecutorManagerThread", None)
    if manager is None:
        return

    def renewed(old, left):
        pending = Pending(left)
        pending.__dict__.update(old.__dict__)
        for work in [work for work in old.known if work not in left]:
            del old.known[work]
        return pending

    def __setattr__(thread, name, value):
        if name == "pending_work_items" and type(value) is dict:
            old = thread.__dict__.get(name)
            if type(old) is Pending:
                pending = quietly(renewed)(old, value)
                value = value if pending is None else pending
        object.__setattr__(thread, name, value)

    manager.__setattr__ = __setattr__


def patch_processes(m):
    executor = m.ProcessPoolExecutor
    manager = "_executor_manager_thread"
    if not hasattr(executor, "_start_executor_manager_thread"):
        manager = "_queue_management_thread"
    wanted = ("_process_worker", "_process_chunk", "_CallItem", "_ResultItem", "_sendback_result")
    missing = [name for name in wanted if not hasattr(m, name)]
    if missing:
        return no_probe(m.__name__, "it has no " + ", ".join(missing))
    inner_files.add(executor.submit.__code__.co_filename)
    runs(m._process_worker, m._process_chunk)
    hook_futures(m)
    shutdown = executor.shutdown.__code__
    from collections import deque

    def set_processes(owner, value):
        if type(value) is not dict:
            return value
        workers = Processes(value)
        workers.pool = pool_of(owner)
        return workers

    def set_pending(owner, value):
        if type(value) is not dict:
            return value
        pending = Pending(value)
        pending.pool, pending.module = pool_of(owner), m
        pending.known, pending.going = {}, deque()
        return pending

    def set_call_queue(owner, queue):
        pending = owner.__dict__["_pending_work_items"]
        if queue is not None and type(pending) is Pending:
            queue._send_bytes = sender(queue._send_bytes, pending.going, pending.known)
        return queue

    def sender(send_bytes, going, known):
        def _send_bytes(data):
            try:
                if going:
                    call, chunk, count = known[going.popleft()]
                    tell(PUT, 0, call, chunk, min(len(data), NONE), count)
            except ours():
                pass
            return send_bytes(data)

        return _send_bytes

    def get_manager(owner, value):
        if get_frame(2).f_code is shutdown:
            seen = owner.__dict__["_parviz_seen"] = owner.__dict__.get("_parviz_seen", 0) + 1
            if seen == 1:
                left = min(len(owner._pending_work_items), NONE)
                tell(POOL_CLOSE, SHUTDOWN, pool_of(owner), 0, left)
            elif seen == 2 and value is not None:
                Waiting(get_frame(2), 9)
        return value

    def set_manager(owner, value):
        if value is None and get_frame(2).f_code is shutdown and owner.__dict__.get("_parviz_seen", 0) > 1:
            owner.__dict__["_parviz_seen"] = 0
            waiting = get_frame(2).f_trace
            if type(waiting) is Waiting:
                waiting.over()
            else:
                tell(UNBLOCK, 0, NONE)
        return value

    executor._processes = Attribute("_processes", set_processes)
    executor._pending_work_items = Attribute("_pending_work_items", set_pending)
    executor._call_queue = Attribute("_call_queue", set_call_queue)
    setattr(executor, manager, Attribute(manager, set_manager, get_manager))
    hook_manager(m)
    hook_executor_workers(m)


def hook_executor_workers(m):
    run = m._process_worker
    running = run.__code__
    current = []

    def is_worker(process):
        return process._target is run and len(process._args) >= 2

    def hook(process):
        progress = new_progress(WORK)
        current[:] = [progress]  # A worker that was forked inside a task inherits that of the one above.
        from multiprocessing import util

        util.Finalize(None, quietly(worker_ends), (progress, True), exitpriority=-1000)
        stand_ins = CallQueue(process._args[0], progress), ResultQueue(process._args[1], progress)
        process._args = stand_ins + tuple(process._args[2:])

    def get_arguments(item, arguments):
        if get_frame(2).f_code is not running or not current:
            return arguments
        progress = current[0]
        progress.message = None
        t = progress.got or now()
        progress.got = 0
        function = item.fn
        if type(function) is partial and function.func is m._process_chunk and len(arguments) == 1:
            chunk = arguments[0]
            progress.take(item.work_id, 0, len(chunk), t)
            return (items(progress, chunk),)
        progress.run(item.work_id & 0xFFFFFFFF, t)
        return arguments

    m._CallItem.args = Attribute("args", None, get_arguments)
    from multiprocessing import util

    watch_children(util)
    worker_kinds.append((is_worker, hook))


class CallQueue:
    """The queue a worker of an executor takes its work from."""

    def __init__(self, queue, progress):
        self._parviz = queue, progress

    @property
    def get(self):
        queue, progress = self._parviz
        if not progress.waited:
            progress.waited = True

            def received(data):
                progress.got = now()
                progress.message = data
                return data

            if hasattr(queue, "_recv_bytes"):
                queue._recv_bytes = then(queue._recv_bytes, received)
        return queue.get

    def __getattr__(self, name):
        return getattr(self._parviz[0], name)


class ResultQueue:
    """The queue a worker of an executor gives its results to."""

    def __init__(self, queue, progress):
        self._parviz = queue, progress
        queue._writer = ResultWriter(queue._writer, progress)

    @property
    def put(self):
        queue, progress = self._parviz
        try:
            frame = get_frame(1)
            if frame.f_code.co_name == "_sendback_result":
                t = now()
                error = local_of(frame, "exception")
                error = getattr(error, "exc", error)
                ok = error is None and not progress.putting
                if progress.putting:
                    note(UNPICKLABLE_RESULT, progress.call, error_string(sys.exc_info()[1]), 0, WORK)
                    error = None
                if not (ok and progress.single):
                    progress.end(t, ok, error)
                progress.putting = t
                progress.message = None
                self.__dict__["_parviz"][0]._writer.__dict__["_parviz_ok"] = ok
                error = None
            else:  # It says that it leaves.
                progress.message = None
        except ours():
            pass
        return queue.put

    def __getattr__(self, name):
        return getattr(self._parviz[0], name)


class ResultWriter:
    """The end of a pipe into which a worker of an executor writes."""

    def __init__(self, writer, progress):
        self.__dict__["_parviz"] = writer, progress
        self.__dict__["_parviz_ok"] = True

    @property
    def send_bytes(self):
        writer, progress = self._parviz
        try:
            began, progress.putting = progress.putting, 0
            if began:
                size = len(local_of(get_frame(1), "obj"))
                if progress.single and size < NONE:
                    progress.ran(began, size)
                else:
                    progress.end(began, self._parviz_ok)
                    progress.result(self._parviz_ok, size, began)
        except ours():
            pass
        return writer.send_bytes

    def __getattr__(self, name):
        return getattr(self._parviz[0], name)
