# The part of the probe that all hooks share: the ring, threads, texts, and the ways to hook in without a
# frame in anybody's traceback. Runs in the namespace that `sitecustomize.py` made.
import itertools
import mmap
import os
import sys
from _struct import Struct
from _thread import _local, get_ident, get_native_id
from functools import partial
from time import monotonic_ns as now
from types import BuiltinFunctionType, FunctionType, MethodType

NONE = 0xFFFFFFFF
SHORT_TEXT = 1000
SLOTS = 131072
HEADER = 4096
ENTRIES_AT = 64
ENTRIES = 126

# Kinds of records, as in src/origin/python/wire/record.rs; written as numbers where every item passes.
POOL_OPEN = 1
POOL_CLOSE = 2
SPAWN = 3
REAP = 4
WORKER_BEGIN = 5
WORKER_END = 6
CALL = 7
CALL_IN = 8
SUBMIT = 9
PUT = 10
TAKEN = 11
ITEM_START = 12
ITEM_END = 13
ITEM_NEXT = 14
ITEMS = 15
RESULT = 16
COST = 17
BACK = 18
READY = 19
BLOCK = 20
UNBLOCK = 21
DELIVERED = 22
INPUT_END = 23
RAISED = 24
NOTE = 25
CANCELLED = 26
# Flags.
OK = LAST = THREAD = PICKLING = OF_POOL = 1
WORK = 0x80
# Ways to close a pool.
CLOSE, TERMINATE, WITH, SHUTDOWN = 1, 2, 3, 4
# Notes.
UNPICKLABLE_ARGUMENT = 1
WORKER_EXIT = 2
UNPICKLABLE_RESULT = 3
INITIALIZER_RAISED = 4
CALLBACK_RAISED = 5
RESULT_THREAD_DIED = 6
BROKEN = 7
# Messages.
STRING, THREAD_IS, NO_PROBE, RING = 2, 3, 4, 5

NO_CPU = 0xFFFF << 16
# Of `madvise`: gives memory now, or an error.
POPULATE_WRITE = 23
# Slots for which there is room at once.
STEP = 8192

# An item that takes less is told together with its neighbours, at most so many at once.
SHORT = 20_000
MOST = 256
# (Un)pickling that takes less is not told.
DEAR = 10_000

get_frame = sys._getframe
order = sys.byteorder
pack_into = Struct("=QQQII").pack_into


# --- the ring ---------------------------------------------------------------------------------------------


def first_record(*record):
    """`emit` of a process that has no ring yet."""
    open_ring()
    emit(*record)


def no_record(*record):
    """`emit` of a process that nobody watches."""


def tell(kind, flags, a, b=0, c=0, n=0, t=None):
    """Writes a record. Where it is done for every task, `emit` is called with the words put together there:
    kind, flags, CPU (not known), thread and n are one, a and b another."""
    emit(kind | flags << 8 | NO_CPU | me() << 32 | n << 48, now() if t is None else t, a | b << 32, c)


def forked():
    """In a child: everything of its own, made when it has something to tell."""
    global emit, words, local, strings, threads
    emit = first_record
    words = None
    local = _local()
    strings = {}
    threads = itertools.count().__next__


def open_ring():
    global emit, words
    try:
        if connection.dead:
            raise OSError
        emit, words = make_ring()
    except OSError as error:
        emit, words = no_record, [0] * (4 * ENTRIES)
        if not connection.dead:
            connection.say(NO_PROBE, text_bytes("ring\0" + str(error)))


def make_ring():
    name = "%d-%d.ring" % (os.getpid(), now())
    for place in dict.fromkeys((rings, folder)):
        try:
            ring, room = map_ring(place + "/" + name)
            break
        except OSError as error:
            failed = error
    else:
        raise failed
    claim = itertools.count().__next__
    full = False

    def emit(head, t, ab, c):
        i = claim()
        if i >= room and not more_room(i):
            return
        pack_into(ring, ((i & 131071) << 5) + 4096, head, t, ab, c, i + 1 & 0xFFFFFFFF)

    def more_room(i):
        nonlocal room, full
        first = room
        if first >= SLOTS:  # Once around, there is room for good.
            room = 1 << 62
            return True
        if full:
            return False
        try:
            ring.madvise(POPULATE_WRITE, HEADER + 32 * first, 32 * STEP)
            room = max(room, first + STEP)  # Another thread may have asked as well.
        except OSError as error:
            full = True
            connection.say(NO_PROBE, text_bytes("ring\0no more room: " + str(error)))
        return i < room

    Struct("=8xIIIIQII").pack_into(ring, 0, 1, SLOTS, os.getpid(), 0, now(), *own_cost(ring))
    connection.page = memoryview(ring)[40:48].cast("Q")
    connection.page[0] = connection.lost
    ring[:8] = b"parvizR1"
    connection.say(RING, name.encode())
    return emit, memoryview(ring)[ENTRIES_AT:HEADER].cast("Q")


def map_ring(path):
    """The file, mapped, and how many slots have room: memory that is only promised would kill the program when it
    is written to, so it is asked for first, a piece at a time where the system can do that."""
    size = HEADER + 32 * SLOTS
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    low = []
    try:
        while fd < 3:  # Standard descriptors that are closed stay so.
            low.append(fd)
            fd = os.dup(fd)
        os.ftruncate(fd, size)
        if sys.version_info >= (3, 13):
            ring = mmap.mmap(fd, size, trackfd=False)
        else:
            ring = mmap.mmap(fd, size)
        try:
            if mmap.PAGESIZE != HEADER or not sys.platform.startswith("linux"):
                raise OSError
            ring.madvise(POPULATE_WRITE, 0, HEADER + 32 * STEP)
            return ring, STEP
        except OSError:
            if hasattr(os, "posix_fallocate"):
                os.posix_fallocate(fd, 0, size)
            return ring, SLOTS
    except OSError:
        os.unlink(path)
        raise
    finally:
        for number in low + [fd]:
            os.close(number)


def own_cost(ring):
    """What a record takes, and a coalesced item: the least of a few, in the first slot, that nobody reads yet."""
    claim = itertools.count().__next__
    room = SLOTS

    def emit(head, t, ab, c):
        i = claim()
        if i >= room and not i:
            return
        pack_into(ring, ((i & 0) << 5) + 4096, head, t, ab, c, i + 1 & 0xFFFFFFFF)

    record = item = 1 << 30
    for _ in range(3):
        began = now()
        for number in range(10):
            emit(0, now(), 0, number)
        record = min(record, (now() - began) // 10)
        began = now()
        for _ in coalesced(Progress(0, 0, [0, 0, 0, 0], 0), (None,) * 10, emit):
            pass
        item = min(item, (now() - began) // 10)
    ring[HEADER : HEADER + 32] = bytes(32)
    return record, item


# --- threads and texts ------------------------------------------------------------------------------------


def me():
    """The number of this thread."""
    try:
        return local.number
    except AttributeError:
        return new_thread()


def new_thread():
    threading = sys.modules.get("threading")
    thread = threading and threading._active.get(get_ident())
    number = local.number = thread_number(thread) if thread else min(threads(), 65535)
    name = thread.name if thread else ""
    if type(name) is not str:
        name = ""
    head = number.to_bytes(4, order) + get_native_id().to_bytes(4, order)
    connection.say(THREAD_IS, head + text_bytes(name))
    return number


def thread_number(thread):
    """The number a thread has or will have in this process, whoever asks first."""
    pid = os.getpid()
    there = thread.__dict__.get("_parviz")
    if there is None or there[0] != pid:
        if there is not None:
            del thread.__dict__["_parviz"]
        there = thread.__dict__.setdefault("_parviz", (pid, min(threads(), 65535)))
    return there[1]


def text_bytes(text):
    return text[:4096].encode("utf-8", "replace")[:4096]


def string(text):
    """The number of a text, which is sent once."""
    number = strings.get(text)
    if number is None:
        if len(strings) >= 1 << 16:
            return NONE
        number = strings.setdefault(text, len(strings))
        connection.say(STRING, number.to_bytes(4, order) + text_bytes(text))
    return number


def name_of(function):
    """The name of what is called; no code of the program runs for it."""
    for _ in range(8):
        if type(function) is not partial:
            break
        function = function.func
    kind = type(function)
    if kind in (FunctionType, BuiltinFunctionType, MethodType):
        return function.__qualname__[:SHORT_TEXT]
    if kind is type:
        return function.__qualname__[:SHORT_TEXT]
    return type.__dict__["__qualname__"].__get__(kind)[:SHORT_TEXT]


def error_text(error):
    """As Python prints it in its last line, as far as no code of the program runs for it."""
    kind = type(error)
    name = type.__dict__["__qualname__"].__get__(kind)[:SHORT_TEXT]
    if kind.__module__ not in ("builtins", "__main__") and type(kind.__module__) is str:
        name = kind.__module__ + "." + name
    values = BaseException.args.__get__(error)
    plain = all(type(value) in (str, int, float, bool, type(None)) for value in values)
    small = all(type(value) is not int or value.bit_length() < 4096 for value in values)
    if type(kind.__str__) is not type(object.__str__) or not plain or not small:
        return name
    if any(type(value) is str and len(value) > SHORT_TEXT for value in values):
        text = next(value for value in values if type(value) is str)[:SHORT_TEXT]
    else:
        text = str(error)[:SHORT_TEXT]
    return name + ": " + text if text else name


def error_string(error):
    if len(strings) > 4096:
        return string(type(error).__qualname__[:SHORT_TEXT])
    return string(error_text(error))


def note(kind, about, text, value, flags=0):
    tell(NOTE, flags, about, text, int(value) & NONE, kind)


def no_probe(part, reason):
    connection.say(NO_PROBE, text_bytes(part + "\0" + reason))


# --- hooks that are no frames -----------------------------------------------------------------------------


def quietly(function):
    """A hook that never raises into the program."""

    def hook(*arguments):
        try:
            return function(*arguments)
        except Exception:
            return None

    return hook


def then(function, after):
    """Calls `function()` and gives what `after` makes of its value. All of it is C: nothing of the probe is on
    the stack while it waits, nor in the traceback of what it raises."""
    return map(after, iter(function, object())).__next__


class Before:
    """A method that tells when it is looked up; what is called then is the original."""

    def __init__(self, function, hook):
        self.function = function
        self.hook = hook

    def __get__(self, owner, kind=None):
        if owner is None:
            return self.function
        try:
            self.hook(owner)
        except Exception:
            pass
        return self.function.__get__(owner, kind)


class Attribute:
    """An attribute of instances that tells when it is read or set, and may change the value then."""

    def __init__(self, name, on_set=None, on_get=None):
        self.name = name
        self.on_set = on_set
        self.on_get = on_get

    def __get__(self, owner, kind=None):
        if owner is None:
            raise AttributeError(self.name)
        try:
            value = owner.__dict__[self.name]
        except KeyError:
            raise AttributeError(self.name) from None
        if self.on_get is not None:
            try:
                return self.on_get(owner, value)
            except Exception:
                pass
        return value

    def __set__(self, owner, value):
        if self.on_set is not None:
            try:
                value = self.on_set(owner, value)
            except Exception:
                pass
        owner.__dict__[self.name] = value

    def __delete__(self, owner):
        try:
            del owner.__dict__[self.name]
        except KeyError:
            raise AttributeError(self.name) from None


class Looked:
    """Something to call that tells before each call; its class has `__call__` as a property."""

    def __init__(self, function, hook):
        self.function = function
        self.hook = hook

    @property
    def __call__(self):
        try:
            self.hook()
        except Exception:
            pass
        return self.function


def after_init(kind, hook):
    """Runs `hook(self)` after the constructor."""
    original = kind.__init__

    def __init__(self, *arguments, **options):
        original(self, *arguments, **options)
        try:
            hook(self)
        except Exception:
            pass

    kind.__init__ = like(__init__, original)


def like(function, original):
    for name in ("__module__", "__name__", "__qualname__", "__doc__"):
        setattr(function, name, getattr(original, name))
    return function


def local_of(frame, name):
    """A local of a function that runs. What older Pythons keep for this would hold on to all its locals."""
    return locals_of(frame, name)[0]


def locals_of(frame, *names):
    there = frame.f_locals
    values = [there.get(name) for name in names]
    if type(there) is dict and frame.f_code.co_flags & 1:
        there.clear()
    return values


def watch_waits(condition, call, kinds):
    """Tells when somebody waits for this condition, from the two methods that `wait` calls around it."""
    kind = type(condition)
    watched = kinds.get(kind)
    if watched is None:
        watched = kinds[kind] = watched_kind(kind)
    condition.__dict__.pop("_release_save", None)
    condition.__dict__.pop("_acquire_restore", None)
    condition._parviz = call
    condition.__class__ = watched


def watched_kind(kind):
    class Condition(kind):
        def _release_save(self):
            try:
                tell(BLOCK, 0, self._parviz, waits_in(get_frame(2)))
            except Exception:
                pass
            lock = self._lock
            save = getattr(lock, "_release_save", None)
            return save() if save is not None else lock.release()

        def _acquire_restore(self, state):
            lock = self._lock
            restore = getattr(lock, "_acquire_restore", None)
            if restore is not None:
                restore(state)
            else:
                lock.acquire()
            try:
                tell(UNBLOCK, 0, self._parviz)
            except Exception:
                pass

    return like_class(Condition, kind)


def like_class(kind, original):
    for name in ("__module__", "__name__", "__qualname__"):
        setattr(kind, name, getattr(original, name))
    return kind


WAITS = {"map": 1, "starmap": 2, "apply": 3, "get": 4, "wait": 4, "next": 5, "<genexpr>": 5}
WAITS.update({"result_iterator": 5, "_chain_from_iterable_of_lists": 5, "result": 6, "exception": 6})
WAITS.update({"as_completed": 7})
# Files whose frames stand between the program and a wait or a call.
inner_files = {get_frame().f_code.co_filename}


def waits_in(frame):
    name = None
    while frame is not None and frame.f_code.co_filename in inner_files:
        name = frame.f_code.co_name
        place = frame.f_code.co_filename
        frame = frame.f_back
    if name == "wait" and place.endswith("_base.py"):
        return 7
    return WAITS.get(name, 0)


def caller_of(frame):
    """The outermost frame of the library and the one of the program that called it."""
    last = None
    while frame is not None and frame.f_code.co_filename in inner_files:
        last = frame
        frame = frame.f_back
    return last, frame


def call_text(method, function, frame):
    if frame is None:
        return string("%s\0%s\0\0" % (method, function))
    return string("%s\0%s\0%s\0%d" % (method, function, frame.f_code.co_filename[-1000:], frame.f_lineno or 0))


# --- what a worker does -----------------------------------------------------------------------------------


class Progress:
    """How far a worker is with its chunk. `words` from `at` on are what others can see of it: the chunk, since
    when its item runs, the item, and whether the worker waits with the lock of the queue."""

    __slots__ = ("head", "words", "at", "work", "call", "chunk", "first", "got", "message", "putting", "waited")

    def __init__(self, number, flags, words, at):
        # What all records of this worker have in common, and this chunk as records name it.
        self.head = flags << 8 | NO_CPU | number << 32
        self.chunk = 0
        self.words = words
        self.at = at
        self.work = flags
        self.call = self.first = 0
        self.got = self.putting = 0
        self.message = None
        self.waited = False

    def take(self, call, chunk, items, t):
        """A message came at `t`, and was read by now."""
        self.call = call
        ab = self.chunk = call & 0xFFFFFFFF | (chunk & 0xFFFFFFFF) << 32
        self.message = None
        read = now()
        emit(self.head | 11, t, ab, items)
        if read - t >= 10_000:
            emit(self.head | 17, read, ab, min(read - t, NONE))
        return read

    def start(self, t):
        """The one item of a message without a chunk starts."""
        words, at = self.words, self.at
        words[at] = ab = self.chunk
        words[at + 2] = 0
        words[at + 1] = t
        self.first = 0
        emit(self.head | 12, t, ab, 0)

    def is_running(self):
        return self.words[self.at + 1] != 0

    def end(self, t, ok):
        """The item that runs ended at `t`, and the chunk with it, whatever was left of that."""
        words, at = self.words, self.at
        since = words[at + 1]
        if since:
            item = words[at + 2]
            words[at + 1] = 0
            if item > self.first:
                emit(self.head | 15 | item - self.first << 48, since, self.chunk, self.first)
            emit(self.head | (0x10D if ok else 13), t, self.chunk, item)

    def raised(self, error, t):
        emit(self.head | RAISED | 0xFFFF << 48, t, self.chunk, error_string(error))

    def result(self, ok, size, began):
        t = now()
        if t - began >= 10_000 and size != NONE:
            emit(self.head | COST | PICKLING << 8, t, self.chunk, min(t - began, NONE))
        emit(self.head | (0x110 if ok else 16), t, self.chunk, min(size, NONE))


def new_progress(flags=0):
    number = me()
    if words is None:
        open_ring()
    if number < ENTRIES:
        return Progress(number, flags, words, 4 * number)
    return Progress(number, flags, [0, 0, 0, 0], 0)


def items(progress, chunk):
    return coalesced(progress, chunk, emit)


def coalesced(progress, chunk, emit):
    """The items of a chunk. Being asked for the next one is the end of the last and the start of the next: no
    frame around the program's function, one reading of the clock per item."""
    clock, short, most = now, SHORT, MOST
    words, at, head, ab = progress.words, progress.at, progress.head, progress.chunk
    since, running = at + 1, at + 2
    first = progress.first = item = 0
    rest = iter(chunk)
    for value in rest:
        last = clock()
        words[at] = ab
        words[running] = 0
        words[since] = last
        emit(head | 12, last, ab, 0)
        yield value
        break
    else:
        return
    for value in rest:
        t = clock()
        item += 1
        words[running] = item
        words[since] = t
        if t - last >= short:
            if item - 1 > first:
                emit(head | 15 | item - 1 - first << 48, last, ab, first)
            emit(head | 14, t, ab, item)
            first = progress.first = item
        elif item - first >= most:
            emit(head | 15 | item - first << 48, t, ab, first)
            first = progress.first = item
        last = t
        yield value
    t = clock()
    words[since] = 0
    if t - last >= short:
        if item > first:
            emit(head | 15 | item - first << 48, last, ab, first)
        emit(head | 0x10D, t, ab, item)
    else:
        emit(head | 0x10F | item + 1 - first << 48, t, ab, first)


emit = words = local = strings = threads = None
forked()
pools = itertools.count(1).__next__
