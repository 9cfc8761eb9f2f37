"""The hooks of concurrent.futures that both executors share: futures, calls, and the pools that executors are.

| what | where | why nobody notices |
|---|---|---|
| executor made | `_processes` or `_threads`, set in its constructor: a dict or set that tells of workers | plain attributes |
| one `map` | a mark on its frame, where a tracer would put its own; if one did, among its locals | a name nobody has |
| task ended in a thread | `set_result`, `set_exception` looked up: nobody has seen the result | back before it is set |
| result received, handed out | the same; `__get_result` looked up, `_exception` read by `exception` | as above |
| waiting | the two methods that `Condition.wait` calls around it | back before it waits |

What holds: a future that was submitted keeps what it stands for; all submits of one `map` are one call.
"""
import itertools

load("_parviz_frames", "_parviz_hooks", "_parviz_ring", "_parviz_tell")

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


MARK = ".parviz"


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
    wanted = ("_Future__get_result", "exception", "set_result", "set_exception", "_invoke_callbacks")
    missing = [name for name in wanted if not hasattr(base.Future, name)]
    if missing:
        no_probe(base.__name__, "it has no " + ", ".join(missing))
        return
    inner_files.add(base.Future.result.__code__.co_filename)
    inner_files.add(base.threading.Event.wait.__code__.co_filename)
    runs(base.threading.Thread.run, base.threading.Timer.run)
    runs(base.Future._invoke_callbacks, base.Future.add_done_callback)
    future = base.Future
    exception = future.exception.__code__
    received = ("process_result_item", "_queue_management_worker")

    def submitted(future):
        return future.__dict__.get("_parviz")

    def handed_out(future):
        there = submitted(future)
        if there is not None:
            raised = future._exception is not None
            tell(DELIVERED, raised, there.call, there.chunk, 0)

    def get_exception(future, error):
        if error is not None and get_frame(2).f_code is exception:
            handed_out(future)
        return error

    def settled(ok):
        def hook(future):
            there = submitted(future)
            if there is None:
                return
            frame = get_frame(2)
            if there.threads:
                ended_in_thread(there, ok, frame)
            elif frame.f_code.co_name == "_on_queue_feeder_error":
                note(NOT_SENT, there.call, error_string(local_of(frame, "e")), there.chunk)
            elif frame.f_code.co_name in received and (ok or not local_of(frame, "is_broken")):
                tell(BACK, ok, there.call, there.chunk, NONE)

        return hook

    def ended_in_thread(there, ok, frame):
        progress = getattr(local, "progress", None)
        if progress is None or not progress.is_running() or progress.call != there.call:
            return
        t = now()
        if ok and progress.single:
            return progress.ran(t, NONE)
        error = None if ok else local_of(frame, "exc")
        progress.end(t, ok, error)
        error = None
        progress.result(ok, NONE, t)

    def calls_back(future):
        there = submitted(future)
        if there is not None and future._state == base.CANCELLED:
            tell(CANCELLED, 0, there.call, there.chunk, 0)

    future._Future__get_result = Before(future._Future__get_result, handed_out)
    future._exception = Attribute("_exception", None, get_exception)
    future.set_result = Before(future.set_result, settled(1))
    future.set_exception = Before(future.set_exception, settled(0))
    future._invoke_callbacks = Before(future._invoke_callbacks, calls_back)
    after_init(base._Waiter, lambda waiter: watch_waits(waiter.event._cond, NONE, condition_kinds))


def call_of(frame, function, count):
    """The call that this submit is (part of), and the number of its chunk: new, unless a `map` submits."""
    last, user = caller_of(frame)
    mapping = None
    while frame is not user and is_between(frame):
        if frame.f_code.co_name == "map" and (type(frame.f_trace) is Mapped or is_mapping(frame.f_code)):
            mapping = frame
        frame = frame.f_back
    mark = mapping.f_trace if mapping is not None else None
    is_traced = mark is not None and type(mark) is not Mapped
    if is_traced:
        mark = mapping.f_locals.get(MARK)
    if type(mark) is Mapped:
        mark.chunks += 1
        return mark.call, mark.chunks, None
    call = EXECUTOR | calls() & 0x7FFFFFFF
    method = last.f_code.co_name if last is not None else "submit"
    size = 1
    tasks = 1
    if mapping is not None:
        tasks = NONE
        # The `map` that all executors share takes it, but makes no chunks.
        if last is not mapping and "chunksize" in last.f_code.co_varnames:
            size = local_of(last, "chunksize")
            if type(size) is not int or not 0 <= size < NONE:
                size = NONE
        if is_traced:
            mapping.f_locals[MARK] = Mapped(call)
        else:
            mapping.f_trace = Mapped(call)
    return call, 0, (call_text(method, name_of(function), user), tasks, size)


def is_mapping(code):
    return "result_iterator" in str(code.co_consts + code.co_cellvars)


def tell_call(call, new, pool):
    if new is not None:
        text, tasks, size = new
        if tasks == size == 1:
            return tell(SINGLE, 0, call, text, pool)
        t = now()
        tell(CALL, 0, call, text, tasks, 0, t)
        tell(CALL_IN, 0, call, pool, size, 0, t)


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
