"""How far a worker is with its chunk, as records and as words in the ring that show the item while it runs.

What holds: of the item that runs the words tell at once, whatever was recorded; they stay as they are if the process
is killed. Each item that has started is told to have ended, alone or together with its neighbours.

How long its thread was on a CPU is told between two items, of the first ones always and then about once in two
milliseconds: what lies between two such readings is known exactly in sum. How long it waited for a CPU takes system
calls to know, so it is asked only between long items, and when the worker ends; otherwise the reader asks.
"""
import os
from _thread import get_ident, get_native_id

load("_parviz_ring", "_parviz_tell")

# An item that takes less is told together with its neighbours, at most so many at once.
SHORT = 20_000
MOST = 256
# (Un)pickling that takes less is not told.
DEAR = 10_000
# Readings of the clock of a thread after the first few are so far apart, unless it waited for its work for so long.
FEW = 64
APART = 2_000_000
WAITED = 1_000_000
# After so long on no CPU it is asked how much of that was a wait for one, if what it did took so long on average.
OFF = 1_000_000
SLOW = 4_000_000
# Asking takes less.
TORN = 100_000
NEVER = 1 << 62
NO_WAITING = (1 << 48) - 1

try:
    thread_time_ns()
except ours((OSError, TypeError)):  # Without one there is nothing to call.
    thread_time_ns = None
system_open, system_read, system_close = os.open, os.read, os.close


class Progress:
    """How far a worker is with its chunk. `words` from `at` on are what others can see of it: the chunk, since
    when its item runs, the item, and whether the worker waits with the lock of the queue."""

    __slots__ = ("head", "words", "at", "work", "chunk", "single", "first", "got", "message", "putting", "waited", "raised")
    __slots__ += ("readings", "due", "ended", "asked", "done", "off")

    def __init__(self, number, flags, words, at):
        # What all records of this worker have in common, and this chunk as records name it.
        self.head = flags << 8 | NO_CPU | number << 32
        self.chunk = 0
        self.words = words
        self.at = at
        self.work = flags
        # The one item of a message runs: a record has told that, and no word needs to.
        self.single = False
        self.first = self.got = self.putting = 0
        self.message = None
        self.waited = False
        # What the worker's own function was left with, where that is told: the number of its text, and an exit code.
        self.raised = NONE, None
        # How often the clock of the thread was read, when it may be again, and when the last item ended.
        self.readings = self.due = self.ended = 0
        # When it was asked how the thread had waited, how many messages since, and how long it had been on no CPU.
        self.asked = self.done = 0
        self.off = -NEVER

    def spent(self, emit, pieces):
        """Tells how long this thread was on a CPU until now. It had so many pieces of work since it was asked how it
        waited, or more."""
        t = now()
        self.readings += 1
        self.due = t + APART if self.readings > FEW else 0
        if thread_time_ns is None:
            return
        on_cpu = thread_time_ns()
        waiting = NO_WAITING
        if t - on_cpu - self.off >= OFF and t - self.asked >= SLOW * pieces:
            waiting = waited()
            if now() - t >= TORN:  # It was on no CPU meanwhile.
                t, on_cpu, waiting = now(), thread_time_ns(), waited()
            self.asked = t
            self.done = 0
            # A thread among others would have to hand on the lock of the interpreter for it.
            is_alone = get_native_id() == os.getpid()
            self.off = t - on_cpu if is_alone and waiting != NO_WAITING else NEVER
        emit(self.head | 30 | waiting >> 32 << 48, t, on_cpu, waiting & NONE)

    def farewell(self):
        """The thread ends: nobody can ask later how it waited."""
        self.off = -NEVER
        self.spent(emit, 0)

    def take(self, call, chunk, items, t):
        """A message came at `t`, and was read by now."""
        ab = self.chunk = call & 0xFFFFFFFF | (chunk & 0xFFFFFFFF) << 32
        read = now()
        emit(self.head | 11, t, ab, items)
        if read - t >= DEAR:
            emit(self.head | 17, read, ab, min(read - t, NONE))
        if t - self.ended >= WAITED:
            self.spent(emit, self.done)

    def run(self, ab, came):
        """A message of one item came, was read by now, and its item starts."""
        self.chunk = ab
        self.single = True
        if came - self.ended >= WAITED:
            self.spent(emit, self.done)
        t = now()
        read = t - came
        if read < DEAR:
            emit(self.head | 27, t, ab, read)
        else:
            emit(self.head | 27, t, ab, min(read, NONE))
            emit(self.head | 17, t, ab, min(read, NONE))

    def ran(self, began, size):
        """The item of such a message ended well at `began`, and its result is pickled by now."""
        t = now()
        took = t - began
        if took < DEAR:
            self.single = False
            emit(self.head | 28 | took << 48, began, self.chunk, size)
            self.ended = t
            self.done += 1
            if t >= self.due:
                self.spent(emit, self.done)
        else:
            self.end(began, True)
            self.result(True, size, began)

    @property
    def call(self):
        return self.chunk & 0xFFFFFFFF

    def is_running(self):
        return self.single or self.words[self.at + 1] != 0

    def end(self, t, ok, error=None):
        """The item that runs ended at `t`, of this error, and the chunk with it, whatever was left of that."""
        words, at = self.words, self.at
        since = words[at + 1]
        if self.single:
            self.single = False
            emit(self.head | (0x10D if ok else 13), t, self.chunk, 0)
        elif since:
            item = words[at + 2]
            words[at + 1] = 0
            if item > self.first:
                emit(self.head | 15 | item - self.first << 48, since, self.chunk, self.first)
            emit(self.head | (0x10D if ok else 13), t, self.chunk, item)
        else:
            error = None
        if error is not None:
            emit(self.head | RAISED | 0xFFFF << 48, t, self.chunk, error_string(error))
        self.ended = t
        self.done += 1
        if t >= self.due:
            self.spent(emit, self.done)

    def result(self, ok, size, began):
        t = now()
        if t - began >= DEAR and size != NONE:
            emit(self.head | COST | PICKLING << 8, t, self.chunk, min(t - began, NONE))
        emit(self.head | (0x110 if ok else 16), t, self.chunk, min(size, NONE))


def waited():
    """How long this thread could run and was on no CPU, as far as the system says that."""
    try:
        fd = system_open("/proc/thread-self/schedstat", os.O_RDONLY | os.O_CLOEXEC)
        try:
            _, waiting, turns = map(int, system_read(fd, 80).split())
        finally:
            system_close(fd)
    except ours():
        return NO_WAITING
    # Without a turn nothing was counted.
    return min(waiting, NO_WAITING) if turns else NO_WAITING


def new_progress(flags=0):
    number = me()
    if words is None:
        open_ring()
    if number < ENTRIES:
        progress = Progress(number, flags, words, 4 * number)
    else:
        progress = Progress(number, flags, [0, 0, 0, 0], 0)
    if get_native_id() != os.getpid():
        local.farewell = Farewell(progress)
    return progress


class Farewell:
    """Belongs to a thread, and goes with it: then it is asked how that had waited, as nobody can ask any more."""

    def __init__(self, progress):
        self.progress = progress
        self.thread = os.getpid(), get_ident()

    def __del__(self):
        try:
            if self.thread == (os.getpid(), get_ident()):
                self.progress.farewell()
        except Exception:
            pass


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
            if t >= progress.due:
                progress.spent(emit, item)
        elif item - first >= most:
            emit(head | 15 | item - first << 48, t, ab, first)
            first = progress.first = item
            if t >= progress.due:
                progress.spent(emit, item)
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
