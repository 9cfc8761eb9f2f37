"""The workers of a pool, processes and threads, as they see themselves.

| what | where | why nobody notices |
|---|---|---|
| worker process | after-fork hook of multiprocessing, before `run`: methods on its own two queues | no frame, see `then` |
| worker thread | arguments of the thread, as it is made | as above |
| items of a chunk | the chunk is replaced by a generator when its message was read | asked between two calls |

What holds: the functions of the pool and of the program run on the stack they would have; what a worker was sent and
what it made of it is told once it was read, and before anybody can see the result.
"""
import sys
from time import monotonic_ns as now

load("_parviz_children", "_parviz_frames", "_parviz_hooks", "_parviz_progress", "_parviz_ring", "_parviz_tell")


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
