"""How far a worker is with its chunk, as records and as words in the ring that show the item while it runs.

What holds: of the item that runs the words tell at once, whatever was recorded; they stay as they are if the process
is killed. Each item that has started is told to have ended, alone or together with its neighbours.
"""
from time import monotonic_ns as now

load("_parviz_ring", "_parviz_tell")

# An item that takes less is told together with its neighbours, at most so many at once.
SHORT = 20_000
MOST = 256
# (Un)pickling that takes less is not told.
DEAR = 10_000


class Progress:
    """How far a worker is with its chunk. `words` from `at` on are what others can see of it: the chunk, since
    when its item runs, the item, and whether the worker waits with the lock of the queue."""

    __slots__ = ("head", "words", "at", "work", "chunk", "single", "first", "got", "message", "putting", "waited")

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

    def take(self, call, chunk, items, t):
        """A message came at `t`, and was read by now."""
        ab = self.chunk = call & 0xFFFFFFFF | (chunk & 0xFFFFFFFF) << 32
        read = now()
        emit(self.head | 11, t, ab, items)
        if read - t >= DEAR:
            emit(self.head | 17, read, ab, min(read - t, NONE))

    def run(self, ab, came):
        """A message of one item came, was read by now, and its item starts."""
        self.chunk = ab
        self.single = True
        t = now()
        read = t - came
        if read < DEAR:
            emit(self.head | 27, t, ab, read)
        else:
            emit(self.head | 27, t, ab, min(read, NONE))
            emit(self.head | 17, t, ab, min(read, NONE))

    def ran(self, began, size):
        """The item of such a message ended well at `began`, and its result is pickled by now."""
        took = now() - began
        if took < DEAR:
            self.single = False
            emit(self.head | 28 | took << 48, began, self.chunk, size)
        else:
            self.end(began, True)
            self.result(True, size, began)

    @property
    def call(self):
        return self.chunk & 0xFFFFFFFF

    def is_running(self):
        return self.single or self.words[self.at + 1] != 0

    def end(self, t, ok):
        """The item that runs ended at `t`, and the chunk with it, whatever was left of that."""
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

    def raised(self, error, t):
        emit(self.head | RAISED | 0xFFFF << 48, t, self.chunk, error_string(error))

    def result(self, ok, size, began):
        t = now()
        if t - began >= DEAR and size != NONE:
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
