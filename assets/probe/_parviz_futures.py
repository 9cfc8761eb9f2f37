# The hooks of concurrent.futures, in the namespace of `_parviz_probe.py`; they share some with `_parviz_pool.py`.
#
# | what | where | why nobody notices |
# |---|---|---|
# | executor made | `_processes` or `_threads`, set in its constructor: a dict or set that tells of workers | plain attributes |
# | submitted to processes | `_pending_work_items`: a dict that tells | plain attribute |
# | submitted to threads | constructor of the work item | back before anything raises |
# | one `map` | a mark on its frame, where a tracer would put its own | nobody traces |
# | sent to a worker | `_send_bytes` of the call queue | below what can raise |
# | worker process | after-fork hook of multiprocessing: stand-ins for the two queues | back before they wait |
# | task starts | `args` read from the item to run | back before it runs |
# | task ended in a thread | `set_result`, `set_exception` looked up: nobody has seen the result | back before it is set |
# | result received, handed out | the same; `__get_result` looked up | as above |
# | waiting | the two methods that `Condition.wait` calls around it | back before it waits |
# | shut down | the manager thread, or `_threads`, read by `shutdown` | plain attributes |
load("_parviz_pool")

EXECUTOR = 0x80000000
calls = itertools.count().__next__


class Submitted:
    """What a future stands for; the number of its executor is kept where the future is."""

    __slots__ = ("call", "chunk", "work", "threads")

    def __init__(self, call, chunk, work, threads):
        self.call = call
        self.chunk = chunk
        self.work = work
        self.threads = threads


class Mapped:
    """On the frame of an `Executor.map`: its submits are one call. Does nothing if somebody traces."""

    def __init__(self, call):
        self.call = call
        self.chunks = 0

    def __call__(self, *arguments):
        return None


futures_hooked = []
condition_kinds = {}


def hook_futures(m):
    """Hooks of `concurrent.futures._base`, which both executors use."""
    base = m._base
    if futures_hooked:
        return
    futures_hooked.append(True)
    wanted = ("_Future__get_result", "set_result", "set_exception", "_invoke_callbacks")
    missing = [name for name in wanted if not hasattr(base.Future, name)]
    if missing:
        no_probe(base.__name__, "it has no " + ", ".join(missing))
        return
    inner_files.add(base.Future.result.__code__.co_filename)
    inner_files.add(base.threading.Event.wait.__code__.co_filename)
    inner_files.add(hook_futures.__code__.co_filename)
    future = base.Future
    received = ("process_result_item", "_queue_management_worker")

    def submitted(future):
        return future.__dict__.get("_parviz")

    def handed_out(future):
        there = submitted(future)
        if there is not None:
            raised = future._exception is not None
            tell(DELIVERED, raised, there.call, there.chunk, 0)

    def settled(ok):
        def hook(future):
            there = submitted(future)
            if there is None:
                return
            frame = get_frame(2)
            if there.threads:
                ended_in_thread(there, ok, frame)
            elif frame.f_code.co_name in received and (ok or not local_of(frame, "is_broken")):
                tell(BACK, ok, there.call, there.chunk, NONE)

        return hook

    def ended_in_thread(there, ok, frame):
        progress = getattr(local, "progress", None)
        if progress is None or not progress.is_running() or progress.call != there.call:
            return
        t = now()
        if not ok:
            error = local_of(frame, "exc")
            if error is not None:
                progress.raised(error, t)
            error = None
        progress.end(t, ok)
        progress.result(ok, NONE, t)

    def calls_back(future):
        there = submitted(future)
        if there is not None and future._state == base.CANCELLED:
            tell(CANCELLED, 0, there.call, there.chunk, 0)

    future._Future__get_result = Before(future._Future__get_result, handed_out)
    future.set_result = Before(future.set_result, settled(1))
    future.set_exception = Before(future.set_exception, settled(0))
    future._invoke_callbacks = Before(future._invoke_callbacks, calls_back)
    after_init(base._Waiter, lambda waiter: watch_waits(waiter.event._cond, NONE, condition_kinds))


def call_of(frame, function, count):
    """The call that this submit is (part of), and the number of its chunk: new, unless a `map` submits."""
    last, user = caller_of(frame)
    mapping = None
    while frame is not None and frame is not user:
        if frame.f_code.co_name == "map" and "result_iterator" in str(frame.f_code.co_consts + frame.f_code.co_cellvars):
            mapping = frame
        frame = frame.f_back
    mark = mapping.f_trace if mapping is not None else None
    if type(mark) is Mapped:
        mark.chunks += 1
        return mark.call, mark.chunks, None
    call = EXECUTOR | calls() & 0x7FFFFFFF
    method = last.f_code.co_name if last is not None else "submit"
    size = 1
    tasks = 1
    if mapping is not None:
        tasks = NONE
        if "chunksize" in last.f_code.co_varnames:
            size = local_of(last, "chunksize")
            if type(size) is not int or not 0 <= size < NONE:
                size = NONE
        if mark is None:
            mapping.f_trace = Mapped(call)
    return call, 0, (call_text(method, name_of(function), user), tasks, size)


def tell_call(call, new, pool):
    if new is not None:
        text, tasks, size = new
        t = now()
        tell(CALL, 0, call, text, tasks, 0, t)
        tell(CALL_IN, 0, call, pool, size, 0, t)


def work_of(m, function, arguments):
    """The function of the program and how many items: a chunk of a `map` is wrapped."""
    chunk_of = getattr(m, "_process_chunk", None)
    if type(function) is partial and function.func is chunk_of and chunk_of and len(arguments) == 1:
        return function.args[0], min(len(arguments[0]), 65535)
    return function, 1


def pool_of(executor):
    there = executor.__dict__.get("_parviz")
    return there if there is not None else open_pool(executor)


def open_pool(executor):
    number = executor.__dict__["_parviz"] = pools()
    context = executor.__dict__.get("_mp_context")
    kind = "ThreadPoolExecutor" if context is None else "ProcessPoolExecutor"
    method = context.get_start_method(allow_none=True) if context is not None else None
    text = string(kind + "\0" + (method or ""))
    tell(POOL_OPEN, 0, number, executor._max_workers & NONE, text)
    return number


# --- processes --------------------------------------------------------------------------------------------


class Processes(dict):
    """The workers of an executor, by pid."""

    pool = started = 0

    def __setitem__(self, pid, process):
        dict.__setitem__(self, pid, process)
        try:
            tell(SPAWN, 0, self.pool, pid, self.started)
            self.started += 1
        except Exception:
            pass


class Pending(dict):
    """The work of an executor that has no result, by work id."""

    def __setitem__(self, work, item):
        try:
            self.submitted(work, item)
        except Exception:
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

    def clear(self):
        if self:
            quietly(note)(BROKEN, self.pool, NONE, len(self), OF_POOL)
        self.known.clear()
        dict.clear(self)


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
            except Exception:
                pass
            return send_bytes(data)

        return _send_bytes

    def get_manager(owner, value):
        if get_frame(2).f_code is shutdown and value is not None:
            seen = owner.__dict__["_parviz_seen"] = owner.__dict__.get("_parviz_seen", 0) + 1
            if seen == 1:
                left = min(len(owner._pending_work_items), NONE)
                tell(POOL_CLOSE, SHUTDOWN, pool_of(owner), 0, left)
            elif seen == 2:
                tell(BLOCK, 0, NONE, 9, 0)
        return value

    def set_manager(owner, value):
        if value is None and get_frame(2).f_code is shutdown and owner.__dict__.get("_parviz_seen", 0) > 1:
            owner.__dict__["_parviz_seen"] = 0
            tell(UNBLOCK, 0, NONE)
        return value

    executor._processes = Attribute("_processes", set_processes)
    executor._pending_work_items = Attribute("_pending_work_items", set_pending)
    executor._call_queue = Attribute("_call_queue", set_call_queue)
    setattr(executor, manager, Attribute(manager, set_manager, get_manager))
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
        t = progress.got or now()
        progress.got = 0
        function = item.fn
        if type(function) is partial and function.func is m._process_chunk and len(arguments) == 1:
            chunk = arguments[0]
            progress.take(item.work_id, 0, len(chunk), t)
            return (items(progress, chunk),)
        progress.start(progress.take(item.work_id, 0, 1, t))
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
                if progress.putting:
                    note(UNPICKLABLE_RESULT, progress.call, error_string(sys.exc_info()[1]), 0, WORK)
                    error = True
                elif error is not None and progress.is_running():
                    progress.raised(error, t)
                progress.end(t, error is None)
                progress.putting = t
                progress.message = None
                self.__dict__["_parviz"][0]._writer.__dict__["_parviz_ok"] = error is None
                error = None
            else:  # It says that it leaves.
                progress.message = None
        except Exception:
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
                progress.result(self._parviz_ok, len(local_of(get_frame(1), "obj")), began)
        except Exception:
            pass
        return writer.send_bytes

    def __getattr__(self, name):
        return getattr(self._parviz[0], name)


# --- threads ----------------------------------------------------------------------------------------------


class Threads(set):
    """The workers of an executor."""

    pool = started = 0

    def add(self, thread):
        set.add(self, thread)
        try:
            tell(SPAWN, THREAD, self.pool, thread_number(thread), self.started)
            self.started += 1
        except Exception:
            pass


def patch_threads(m):
    item = m._WorkItem
    names = item.__init__.__code__.co_varnames[: item.__init__.__code__.co_argcount]
    if names != ("self", "future", "fn", "args", "kwargs") or not hasattr(item, "run"):
        return no_probe(m.__name__, "its work items are not known")
    inner_files.add(m.ThreadPoolExecutor.submit.__code__.co_filename)
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
            progress.start(progress.take(there.call, there.chunk, 1, now()))
        return arguments

    def set_threads(executor, value):
        if type(value) is not set:
            return value
        workers = Threads(value)
        workers.pool = pool_of(executor)
        return workers

    def get_threads(executor, value):
        if get_frame(2).f_code is shutdown:
            pool = pool_of(executor)
            # One of what waits is the sign to leave.
            tell(POOL_CLOSE, SHUTDOWN, pool, 0, max(executor._work_queue.qsize() - 1, 0))
            return joined(value)
        return value

    def joined(workers):
        tell(BLOCK, 0, NONE, 9, 0)
        for thread in workers:
            yield thread
        tell(UNBLOCK, 0, NONE)

    after_init(item, made)
    item.args = Attribute("args", None, get_arguments)
    m.ThreadPoolExecutor._threads = Attribute("_threads", set_threads, get_threads)
