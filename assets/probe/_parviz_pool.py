# The hooks of multiprocessing.Pool and ThreadPool, in the namespace of `_parviz_probe.py`.
#
# | what | where | why nobody notices |
# |---|---|---|
# | pool made, workers | `_processes`, `_pool` of a pool, set in its constructor: a list that tells | plain attributes |
# | worker process | after-fork hook of multiprocessing, before `run`: methods on its own two queues | no frame, see `then` |
# | worker thread | arguments of the thread, as it is made | as above |
# | items of a chunk | the chunk is replaced by a generator when its message was read | asked between two calls |
# | message sent | `_send_bytes` of the connection behind `_quick_put` | below what can raise |
# | result received | `_quick_get` | no frame, see `then` |
# | call | `_taskqueue` read by what submits, just before it puts the tasks there | plain attribute |
# | waiting | the two methods that `Condition.wait` calls around it | back before it waits |
# | results handed out | `ready` looked up by `get`; `popleft` of an iterator | as above |
# | all results there | `__delitem__` of the cache | as above |
# | closed, joined | `_worker_handler` and `_terminate` read by those methods | plain attributes |


def patch_pool(m):
    wanted = ("ApplyResult", "MapResult", "IMapIterator", "IMapUnorderedIterator", "Pool", "ThreadPool")
    wanted += ("_PoolCache", "_helper_reraises_exception", "mapstar", "starmapstar", "worker", "util")
    missing = [name for name in wanted if not hasattr(m, name)]
    if missing:
        return no_probe(m.__name__, "it has no " + ", ".join(missing))
    inner_files.update((m.__file__, m.threading.__file__, m.Pool.apply.__code__.co_filename))
    inner_files.add(m.threading.Event.wait.__code__.co_filename)
    inner_files.add(patch_pool.__code__.co_filename)
    hook_pools(m)
    hook_results(m)
    hook_worker_processes(m)
    hook_worker_threads(m)


def call_number(job):
    return job & 0x7FFFFFFF


# Calls that were told and are not complete. One that is sent without having been told is told then.
told_calls = set()


# --- the pool and its workers, seen by the parent ---------------------------------------------------------


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
        except Exception:
            pass

    def __delitem__(self, index):
        try:
            worker = self[index]
            child, flags = child_of(worker)
            exit_code = int(worker.exitcode or 0) & NONE
            tell(REAP, flags, self.pool, child, exit_code)
        except Exception:
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
    chunked = (m.mapstar, m.starmapstar)

    def set_workers(pool, value):
        if type(value) is not list or value:
            return value
        workers = Workers(value)
        workers.pool = pool.__dict__["_parviz"] = pools()
        return workers

    def get_workers(pool, value):
        if get_frame(2).f_code is join:  # It goes through its workers when all else has ended.
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
        code = get_frame(2).f_code
        if code is close:
            closing(pool, CLOSE)
        elif code is join:
            tell(BLOCK, 0, NONE, 8)
        return value

    def get_terminate(pool, value):
        frame = get_frame(2)
        if frame.f_code is terminate:
            outer = frame.f_back
            closing(pool, WITH if outer is not None and outer.f_code is leave else TERMINATE)
        return value

    def put_task(pool, task, size):
        if type(task) is not tuple or len(task) != 5:
            return
        job, index, function, arguments = task[:4]
        count = 1
        if function in chunked:
            count = min(len(arguments[0][1]), 65535)
        elif function is m._helper_reraises_exception:
            count = 0
        call = call_number(job)
        if call not in told_calls:
            told_calls.add(call)
            tell(CALL, 0, call, string("\0" + name_of(function) + "\0\0"), NONE)
            tell(CALL_IN, 0, call, pool, NONE)
        emit(10 | NO_CPU | me() << 32 | count << 48, now(), call | (index & NONE) << 32, min(size, NONE))

    def set_quick_put(pool, send):
        number = pool.__dict__["_parviz"]
        connection_of = getattr(send, "__self__", None)
        if getattr(send, "__name__", "") == "send" and hasattr(connection_of, "_send_bytes"):
            hook_connection(number, connection_of)
            return send

        def put(task):
            try:
                put_task(number, task, NONE)
            except Exception:
                pass
            return send(task)

        return put

    def hook_connection(number, there):
        send_bytes, check = there._send_bytes, there._check_writable
        began = [0]

        def _check_writable():
            began[0] = now()
            return check()

        def _send_bytes(data):
            try:
                there = get_frame(1).f_locals
                task = there.get("obj")
                if type(there) is dict:
                    there.clear()
                put_task(number, task, len(data))
                t = now()
                if t - began[0] >= DEAR and type(task) is tuple:
                    took = min(t - began[0], NONE)
                    tell(COST, PICKLING, call_number(task[0]), task[1] & NONE, took, 0, t)
                task = None
            except Exception:
                pass
            return send_bytes(data)

        there._check_writable = _check_writable
        there._send_bytes = _send_bytes

    def set_quick_get(pool, get):
        def received(task):
            try:
                if type(task) is tuple and len(task) == 3:
                    call, index, result = task
                    head = 0x112 if result[0] else 18
                    ab = call & 0x7FFFFFFF | (index & NONE) << 32
                    emit(head | NO_CPU | me() << 32, now(), ab, NONE)
                    result = None
            except Exception:
                pass
            return task

        return then(get, received)

    def set_result_handler(pool, thread):
        watch_result_thread(m, thread, pool.__dict__["_parviz"])
        return thread

    m.Pool._result_handler = Attribute("_result_handler", set_result_handler)
    m.Pool._pool = Attribute("_pool", set_workers, get_workers)
    m.Pool._processes = Attribute("_processes", set_processes)
    m.Pool._worker_handler = Attribute("_worker_handler", None, get_worker_handler)
    m.Pool._terminate = Attribute("_terminate", None, get_terminate)
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
        except Exception:
            pass
        return handle(*arguments)

    thread._invoke_excepthook = _invoke_excepthook


# --- calls and their results, seen by the parent ----------------------------------------------------------


class Arrived:
    """What an iterator of results has and hands out next."""

    def __init__(self, call, chunks):
        self.call = call
        self.taken = 0
        # A queue of the numbers of those that are there; `None` where they come in order.
        self.chunks = chunks


def hook_results(m):
    get = m.ApplyResult.get.__code__
    methods = (m.Pool.apply_async, m.Pool._map_async, m.Pool.imap, m.Pool.imap_unordered)
    submit = {method.__code__ for method in methods}
    deque = m.collections.deque
    kinds = {}

    def get_taskqueue(pool, queue):
        """Read by the method that submits, when it has made the result and nobody else knows it."""
        frame = get_frame(2)
        if frame.f_code in submit:
            result, function, chunksize = locals_of(frame, "result", "func", "chunksize")
            submitted(pool.__dict__["_parviz"], frame, result, name_of(function), chunksize)
        return queue

    def submitted(pool, frame, result, function, chunksize):
        call, t = call_number(result._job), now()
        result._parviz = pool
        told_calls.add(call)
        last, user = caller_of(frame)
        text = call_text(last.f_code.co_name, function, user)
        count = 1
        if isinstance(result, m.MapResult):
            count = len(result._value) if type(result._value) is list else NONE
        elif isinstance(result, m.IMapIterator):
            count = NONE
        else:
            chunksize = 1
        size = chunksize if type(chunksize) is int and 0 <= chunksize < NONE else NONE
        tell(CALL, 0, call, text, min(count, NONE), 0, t)
        tell(CALL_IN, 0, call, pool, size, 0, t)
        if isinstance(result, m.IMapIterator):
            there = Items(result._items)
            unordered = isinstance(result, m.IMapUnorderedIterator)
            there.arrived = Arrived(call, deque() if unordered else None)
            result._items = there
            return watch_waits(result._cond, call, kinds)
        watch_waits(result._event._cond, call, kinds)
        if result._event.is_set():  # Nothing to do at all.
            tell(READY, 0, call)

    class Items(deque):
        arrived = None

        def append(self, value):
            if self.arrived.chunks is not None:
                try:
                    self.arrived.chunks.append(local_of(get_frame(1), "i"))
                except Exception:
                    pass
            deque.append(self, value)

        @property
        def popleft(self):
            if self:
                try:
                    delivered(self)
                except Exception:
                    pass
            return deque.popleft.__get__(self)

    def delivered(there):
        arrived = there.arrived
        if arrived.chunks is None:
            chunk = arrived.taken
        else:
            chunk = arrived.chunks.popleft()
        arrived.taken += 1
        tell(DELIVERED, not there[0][0], arrived.call, chunk & NONE)

    def asked(result):
        """`ready` was looked up; by `get`, after it has waited, that means that the result is handed out."""
        if get_frame(2).f_code is get and result._event.is_set() and result._parviz is not None:
            result._parviz = None
            tell(DELIVERED, not result._success, call_number(result._job), NONE)

    def _set_length(self, length):
        set_length(self, length)
        try:
            call, taken = call_number(self._job), self._items.arrived.taken
            tell(INPUT_END, 0, call, length & NONE, taken & NONE)
        except Exception:
            pass

    def __delitem__(self, job):
        remove(self, job)
        if call_number(job) in told_calls:
            told_calls.discard(call_number(job))
            try:
                result = local_of(get_frame(1), "self")
                taken = getattr(result, "_callback", None) is not None and result._success
                if taken:
                    result._parviz = None
                tell(READY, int(taken), call_number(job))
            except Exception:
                pass

    m.Pool._taskqueue = Attribute("_taskqueue", None, get_taskqueue)
    m.ApplyResult.ready = Before(m.ApplyResult.ready, asked)
    set_length = m.IMapIterator._set_length
    m.IMapIterator._set_length = like(_set_length, set_length)
    remove = m._PoolCache.__delitem__
    m._PoolCache.__delitem__ = like(__delitem__, remove)


# --- worker processes -------------------------------------------------------------------------------------


class Anchor:
    """multiprocessing forgets the after-fork hooks of what has gone; this stays."""


anchor = Anchor()
# What prepares the worker in a process: pairs of a test and a hook, each given the process.
worker_kinds = []


def in_child(_):
    """In every child of multiprocessing, before its `run`."""
    from multiprocessing import process

    current = process.current_process()
    for is_kind, hook in worker_kinds:
        if is_kind(current):
            tell(WORKER_BEGIN, 0, os.getppid())
            return hook(current)


def watch_children(util):
    if worker_kinds:
        return
    hook = quietly(in_child)
    util.register_after_fork(anchor, hook)
    from multiprocessing import context

    # Some versions skip the hooks in a process that was not forked.
    original = context.SpawnProcess.__dict__.get("_after_fork")
    if original is not None:

        def _after_fork():
            original.__func__()
            hook(None)

        context.SpawnProcess._after_fork = staticmethod(like(_after_fork, original.__func__))


def hook_worker_processes(m):
    original = m.worker

    def is_worker(process):
        return len(process._args) >= 2 and ("PoolWorker" in process.name or process._target is original)

    def hook(process):
        progress = new_progress()
        m.util.Finalize(None, quietly(worker_ends), (progress, False), exitpriority=-1000)
        inqueue, outqueue = process._args[:2]
        if hasattr(inqueue, "_rlock") and hasattr(outqueue, "_wlock") and is_plain(inqueue.get):
            hook_pipe_queues(m, progress, inqueue, outqueue)
        elif process._target is original:
            get, put = queue_hooks(m, progress, inqueue.get, outqueue.put)
            inqueue.get, outqueue.put = get, put

    watch_children(m.util)
    worker_kinds.append((is_worker, hook))


def is_plain(method):
    return getattr(getattr(method, "__code__", None), "co_argcount", 0) == 1


def worker_ends(progress, is_executor):
    """In a worker that ends by itself, whatever made it. Up to 3.12 an exception is still on its way; later it is
    known only how far the worker was."""
    error = sys.exc_info()[1]
    text = NONE if error is None else error_string(error)
    flags = progress.work
    if progress.message is not None:
        call, chunk = message_place(progress.message) if not flags else (NONE, 0)
        about = call_number(call) if call != NONE else NONE
        note(UNPICKLABLE_ARGUMENT, about, text, chunk)
    elif progress.is_running():
        if error is not None:
            code = getattr(error, "code", 1)
            code = code if type(code) is int else 0 if code is None else 1
            note(WORKER_EXIT, progress.call, text, code, flags)
    elif not progress.waited and (error is not None or is_executor or sys.version_info >= (3, 13)):
        note(INITIALIZER_RAISED, NONE, text, 0)
    tell(WORKER_END, 0, 0)


# How many bytes pickle takes for an integer that is not negative: BININT1, BININT2, BININT.
INTEGERS = {0x4B: 2, 0x4D: 3, 0x4A: 5}


def message_ok(data):
    """Of a pickled `(job, index, (ok, value))`: ok."""
    try:
        at = 11 if data[2] == 0x95 else 2
        at += INTEGERS[data[at]]
        at += INTEGERS[data[at]]
        return data[at] == 0x88
    except (KeyError, IndexError):
        return True


def message_place(data):
    """Of a pickled tuple of five: the first two, which are the numbers of the call and of the chunk."""
    try:
        first = 12 if data[2] == 0x95 else 3
        second = first + INTEGERS[data[first]]
        end = second + INTEGERS[data[second]]
        return int.from_bytes(data[first + 1 : second], "little"), int.from_bytes(data[second + 1 : end], "little")
    except (KeyError, IndexError):
        return NONE, 0


class Reader:
    """The end of a pipe from which a worker reads, the lock of the queue held."""

    __slots__ = ("_parviz", "_progress", "_receive", "_waits")

    def __init__(self, reader, progress):
        self._parviz = reader
        self._progress = progress
        self._receive = then(reader.recv_bytes, self._received)
        self._waits = progress.at + 3

    def _received(self, data):
        progress = self._progress
        progress.got = now()
        progress.words[self._waits] = 0
        progress.message = data
        return data

    @property
    def recv_bytes(self):
        progress = self._progress
        progress.waited = True
        progress.words[self._waits] = 1
        return self._receive

    def __getattr__(self, name):
        return getattr(self._parviz, name)


class Writer:
    """The end of a pipe into which a worker writes, once the result is pickled and nobody has seen it."""

    __slots__ = ("_parviz", "_progress", "_error_in")

    def __init__(self, writer, progress, error_in):
        self._parviz = writer
        self._progress = progress
        self._error_in = error_in

    @property
    def send_bytes(self):
        progress = self._progress
        try:
            began, progress.putting = progress.putting, 0
            if began:
                there = get_frame(1).f_locals
                data = there["obj"]
                if type(there) is dict:
                    there.clear()
                ok = message_ok(data)
                if not ok and progress.is_running():
                    error = self._error_in(get_frame(2))
                    if error is not None:
                        progress.raised(error, began)
                    error = None
                progress.end(began, ok)
                progress.result(ok, len(data), began)
                data = None
        except Exception:
            pass
        return self._parviz.send_bytes

    def __getattr__(self, name):
        return getattr(self._parviz, name)


def taken(m, progress):
    """What a worker makes of a message: as it is, but a chunk is told item by item."""
    chunked, reraises = (m.mapstar, m.starmapstar), m._helper_reraises_exception

    def after(task):
        try:
            progress.waited = True
            if task is None:
                progress.message = None
                return task
            job, index, function, arguments, options = task
            t = progress.got or now()
            progress.got = 0
            if function in chunked:
                run, chunk = arguments[0]
                progress.take(job & 0x7FFFFFFF, index, len(chunk), t)
                return job, index, function, ((run, items(progress, chunk)),), options
            if function is reraises:
                progress.take(job & 0x7FFFFFFF, index, 0, t)
            else:
                progress.start(progress.take(job & 0x7FFFFFFF, index, 1, t))
        except Exception:
            pass
        return task

    return after


def hook_pipe_queues(m, progress, inqueue, outqueue):
    """The two queues of a pool, in the worker that has them for itself."""

    def error_in(frame):
        result = local_of(frame, "result")
        error = result[1] if type(result) is tuple else None
        return getattr(error, "exc", error)

    def putting():
        t = now()
        if progress.putting:
            # The first attempt was not sent.
            result = local_of(get_frame(2), "result")
            progress.end(progress.putting, type(result) is not tuple or bool(result[0]))
            note(UNPICKLABLE_RESULT, progress.call, error_string(sys.exc_info()[1]), 0)
            result = None
        progress.putting = t

    put = outqueue.put
    inqueue._reader = Reader(inqueue._reader, progress)
    inqueue.get = then(inqueue.get, taken(m, progress))
    outqueue._writer = Writer(outqueue._writer, progress, error_in)
    outqueue.put = Looked(put, putting)


def queue_hooks(m, progress, get, put):
    """For queues that pass values on as they are, or that are not known."""

    def told(value):
        try:
            t = now()
            ok, result = value[2]
            if not ok and progress.is_running():
                progress.raised(getattr(result, "exc", result), t)
            progress.end(t, bool(ok))
            progress.result(bool(ok), NONE, t)
            result = None
        except Exception:
            pass
        return put(value)

    return then(get, taken(m, progress)), told


# --- worker threads ---------------------------------------------------------------------------------------


class Own:
    """What belongs to one worker thread, made when it runs."""

    def __init__(self, m, inqueue, outqueue):
        self.parts = m, inqueue, outqueue
        self.progress = None

    def hooks(self):
        if self.progress is None:
            m, inqueue, outqueue = self.parts
            self.progress = new_progress()
            self.get, self.put = queue_hooks(m, self.progress, inqueue.get, outqueue.put)
        return self


class Queue:
    """A queue as one worker thread sees it."""

    def __init__(self, queue, own):
        self._parviz = queue, own

    @property
    def get(self):
        return self._parviz[1].hooks().get

    @property
    def put(self):
        return self._parviz[1].hooks().put

    def __getattr__(self, name):
        return getattr(self._parviz[0], name)


def hook_worker_threads(m):
    original = m.ThreadPool.__dict__["Process"].__func__

    def Process(context, *arguments, **options):
        thread = original(context, *arguments, **options)
        try:
            hook(thread)
        except Exception:
            pass
        return thread

    def hook(thread):
        inqueue, outqueue = thread._args[:2]
        own = Own(m, inqueue, outqueue)
        thread._args = (Queue(inqueue, own), Queue(outqueue, own)) + tuple(thread._args[2:])
        handle = thread._invoke_excepthook

        def _invoke_excepthook(*arguments):
            try:
                own.hooks()
                worker_ends(own.progress, False)
            except Exception:
                pass
            return handle(*arguments)

        thread._invoke_excepthook = _invoke_excepthook

    m.ThreadPool.Process = staticmethod(like(Process, original))
