"""The calls of a pool and what becomes of their results, as the parent sees them.

| what | where | why nobody notices |
|---|---|---|
| call | `_taskqueue` read by what submits, just before it puts the tasks there | plain attribute |
| waiting | the two methods that `Condition.wait` calls around it | back before it waits |
| results handed out | `ready` looked up by `get`; `popleft` of an iterator | as above |
| all results there | `__delitem__` of the cache | as above |
| message not sent | `_set` looked up by what sends | as above |

What holds: a call is told before its first message, and all its results before anybody can have them.
"""
import sys

load("_parviz_children", "_parviz_frames", "_parviz_hooks", "_parviz_ring", "_parviz_tell")


# Calls that were told and are not complete: whether the result of its one message is all there is to wait for,
# with no callback in between. One that is sent without having been told is told then.
told_calls = {}
# Those of them that have a callback.
with_callback = set()


class Going:
    """The task that the thread which sends tasks is about to pickle and send, and since when."""

    __slots__ = ("task", "since")

    def __init__(self):
        self.task = None
        self.since = 0


class TaskQueue:
    """The queue of calls as the thread sees it that sends their tasks."""

    def __init__(self, queue, going):
        def sends(task):
            going.task = task
            going.since = now()
            return task

        def took(call):
            going.task = None
            return call and (map(sends, call[0]), call[1])

        self._parviz = queue
        self.get = then(queue.get, took)

    def __getattr__(self, name):
        return getattr(self._parviz, name)


class Arrived:
    """What an iterator of results has and hands out next."""

    def __init__(self, call, chunks, sized):
        self.call = call
        # Its input was all there before it was read.
        self.sized = sized
        self.taken = 0
        # A queue of the numbers of those that are there; `None` where they come in order.
        self.chunks = chunks


def hook_results(m):
    get, successful = m.ApplyResult.get.__code__, m.ApplyResult.successful.__code__
    make = m.Pool.__init__.__code__
    methods = (m.Pool.apply_async, m.Pool._map_async, m.Pool.imap, m.Pool.imap_unordered)
    submit = {method.__code__ for method in methods}
    deque = m.collections.deque
    kinds = {}

    def get_taskqueue(pool, queue):
        """Read by the method that submits, when it has made the result and nobody else knows it."""
        frame = get_frame(2)
        if frame.f_code is make:
            going = pool.__dict__.get("_parviz_going")
            return queue if going is None else TaskQueue(queue, going)
        if frame.f_code in submit:
            result, function, chunksize = locals_of(frame, "result", "func", "chunksize")
            submitted(pool.__dict__["_parviz"], frame, result, name_of(function), chunksize)
        return queue

    def submitted(pool, frame, result, function, chunksize):
        call, t = call_number(result._job), now()
        result._parviz = pool
        if getattr(result, "_callback", None) or getattr(result, "_error_callback", None):
            with_callback.add(call)
        last, user = caller_of(frame)
        text = call_text(last.f_code.co_name, function, user)
        if type(result) is m.ApplyResult:
            told_calls[call] = result._callback is None and result._error_callback is None
            emit(29 | NO_CPU | me() << 32, t, call | text << 32, pool)
            return watch_waits(result._event._cond, call, kinds)
        told_calls[call] = False
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
            sized = hasattr(local_of(frame, "iterable"), "__len__")
            there.arrived = Arrived(call, deque() if unordered else None, sized)
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
                except ours():
                    pass
            deque.append(self, value)

        @property
        def popleft(self):
            if self:
                try:
                    delivered(self)
                except ours():
                    pass
            return deque.popleft.__get__(self)

    def delivered(there):
        arrived = there.arrived
        if arrived.chunks is None:
            chunk = arrived.taken
        else:
            chunk = arrived.chunks.popleft()
        arrived.taken += 1
        head = 22 if there[0][0] else 0x116
        emit(head | NO_CPU | me() << 32, now(), arrived.call | (chunk & 0xFFFFFFFF) << 32, 0)

    def asked(result):
        """`ready` was looked up: by `get`, after it has waited, which hands the result out; or by `successful`, which
        says that it is an error."""
        code = get_frame(2).f_code
        takes = code is get or code is successful and not result._success
        if takes and result._parviz is not None and result._event.is_set():
            result._parviz = None
            head = 22 if result._success else 0x116
            emit(head | NO_CPU | me() << 32, now(), result._job & 0x7FFFFFFF | NONE << 32, 0)

    def _set_length(self, length):
        set_length(self, length)
        try:
            arrived = self._items.arrived
            tell(INPUT_END, int(arrived.sized), arrived.call, length & NONE, arrived.taken & NONE)
        except ours():
            pass

    def __delitem__(self, job):
        remove(self, job)
        if told_calls.pop(job & 0x7FFFFFFF, None) is not None:
            with_callback.discard(job & 0x7FFFFFFF)
            try:
                result = local_of(get_frame(1), "self")
                ok = getattr(result, "_success", True)
                taken = getattr(result, "_callback" if ok else "_error_callback", None) is not None
                if taken:
                    result._parviz = None
                tell(READY, int(taken and ok), call_number(job))
                if taken and not ok:
                    tell(DELIVERED, 1, call_number(job), NONE)
            except ours():
                pass

    handle_tasks = m.Pool._handle_tasks.__code__

    def not_sent(result):
        """`_set` was looked up: the thread that sends has an error in the place of the results."""
        frame = get_frame(2)
        if frame.f_code is handle_tasks:
            error, task = sys.exc_info()[1], local_of(frame, "task")
            if error is not None and task is not None:
                note(NOT_SENT, call_number(task[0]), error_string(error), task[1])
            error = task = None

    for kind in (m.ApplyResult, m.MapResult, m.IMapIterator, m.IMapUnorderedIterator):
        kind._set = Before(kind._set, not_sent)
    m.Pool._taskqueue = Attribute("_taskqueue", None, get_taskqueue)
    m.ApplyResult.ready = Before(m.ApplyResult.ready, asked)
    set_length = m.IMapIterator._set_length
    m.IMapIterator._set_length = like(_set_length, set_length)
    remove = m._PoolCache.__delitem__
    m._PoolCache.__delitem__ = like(__delitem__, remove)
