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

load("_parviz_children", "_parviz_frames", "_parviz_hooks", "_parviz_progress", "_parviz_ring", "_parviz_tell")


def hook_worker_processes(m):
    original = m.worker

    def is_worker(process):
        # A program may put another in its place; a process of its own may have any name.
        return len(process._args) >= 2 and (process._target is original or process._target is m.worker)

    def hook(process):
        progress = new_progress()
        m.util.Finalize(None, quietly(worker_ends), (progress, False), exitpriority=-1000)
        watch_leaving(progress, process)
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


def taken(m, progress):
    """What a worker makes of a message: as it is, but a chunk of many is told item by item."""
    mapstar, starmapstar, reraises = m.mapstar, m.starmapstar, m._helper_reraises_exception

    def after(task):
        try:
            progress.waited = True
            progress.message = None
            if task is None:
                return task
            job, index, function, arguments, options = task
            came = progress.got or now()
            progress.got = 0
            if function is mapstar or function is starmapstar:
                run, chunk = arguments[0]
                if len(chunk) != 1:
                    progress.take(job & 0x7FFFFFFF, index, len(chunk), came)
                    return job, index, function, ((run, items(progress, chunk)),), options
            elif function is reraises:
                progress.take(job & 0x7FFFFFFF, index, 0, came)
                return task
            progress.run(job & 0x7FFFFFFF | (index & 0xFFFFFFFF) << 32, came)
        except ours():
            pass
        return task

    return after


class End:
    """The end of a pipe that a worker reads from or writes into; what else is asked of it is the original's."""

    def __init__(self, end):
        self._parviz = end

    def __getattr__(self, name):
        return getattr(self._parviz, name)


def hook_pipe_queues(m, progress, inqueue, outqueue):
    """The two queues of a pool, in the worker that has them for itself. What is looked up for each message is a
    property, whose function knows all it needs: that is the cheapest way to be told without a frame."""
    reader, writer, put = inqueue._reader, outqueue._writer, outqueue.put
    words, waits = progress.words, progress.at + 3

    def received(data):
        progress.got = now()
        words[waits] = 0
        progress.message = data
        return data

    receive = then(reader.recv_bytes, received)

    def waiting(_):
        """The lock of the queue is held."""
        progress.waited = True
        words[waits] = 1
        return receive

    def putting(_):
        if progress.putting:
            quietly(not_sent)()
        t = progress.putting = now()
        if t >= progress.due:  # What follows is no item.
            progress.spent(emit, progress.done)
        return put

    def not_sent():
        result = local_of(get_frame(3), "result")
        progress.end(progress.putting, type(result) is not tuple or bool(result[0]))
        note(UNPICKLABLE_RESULT, progress.call, error_string(sys.exc_info()[1]), 0)
        result = None

    def sending(_):
        """The result is pickled and nobody has seen it."""
        began, progress.putting = progress.putting, 0
        if began:
            try:
                there = get_frame(1).f_locals
                data = there["obj"]
                if type(there) is dict:
                    there.clear()
                size = len(data)
                ok = message_ok(data)
                data = None
                if ok and progress.single and size < NONE:
                    progress.ran(began, size)
                else:
                    ended(began, ok, size)
            except ours():
                pass
        return writer.send_bytes

    def ended(began, ok, size):
        error = None if ok else error_in(get_frame(3))
        progress.end(began, ok, error)
        error = None
        progress.result(ok, size, began)

    def error_in(frame):
        result = local_of(frame, "result")
        error = result[1] if type(result) is tuple else None
        return getattr(error, "exc", error)

    class Reader(End):
        recv_bytes = property(waiting)

    class Writer(End):
        send_bytes = property(sending)

    class Put:
        __call__ = property(putting)

    inqueue._reader = Reader(reader)
    inqueue.get = then(inqueue.get, taken(m, progress))
    outqueue._writer = Writer(writer)
    outqueue.put = Put()


def queue_hooks(m, progress, get, put):
    """For queues that pass values on as they are, or that are not known."""

    def ended(t, ok, result):
        progress.end(t, ok, None if ok else getattr(result, "exc", result))
        progress.result(ok, NONE, t)

    def told(value):
        try:
            t = now()
            ok, result = value[2]
            if ok is True and progress.single:
                progress.ran(t, NONE)
            else:
                ended(t, bool(ok), result)
            result = None
        except ours():
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
        except ours():
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
            except ours():
                pass
            return handle(*arguments)

        thread._invoke_excepthook = _invoke_excepthook

    m.ThreadPool.Process = staticmethod(like(Process, original))
