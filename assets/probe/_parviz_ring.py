"""The ring of this process, and `emit`, which puts a record into it.

Records are as in src/origin/python/wire/record.rs and slot.rs. What holds: no record is made before somebody has
something to tell; a record takes no lock and no system call, but for the memory of the ring, which is asked for in
pieces. What belongs to one process stands in `forked`, and is made anew in a child.
"""
import itertools
import mmap
import os
import sys
from _struct import Struct
from _thread import _local

NONE = 0xFFFFFFFF
SLOTS = 131072
HEADER = 4096
ENTRIES_AT = 64
ENTRIES = 126

# Kinds of records, as in src/origin/python/wire/record.rs and slot.rs; written as numbers where every item passes.
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
RUN = 27
RAN = 28
SINGLE = 29
SPENT = 30
THREAD_END = 31
# Flags.
OK = LAST = THREAD = PICKLING = OF_POOL = 1
WORK = 0x80
# Ways to close a pool.
CLOSE, TERMINATE, WITH, SHUTDOWN, RAISING, EXIT = 1, 2, 3, 4, 5, 6
# Notes.
UNPICKLABLE_ARGUMENT = 1
WORKER_EXIT = 2
UNPICKLABLE_RESULT = 3
INITIALIZER_RAISED = 4
CALLBACK_RAISED = 5
RESULT_THREAD_DIED = 6
BROKEN = 7
NOT_SENT = 8
# Messages.
STRING, THREAD_IS, RING = 2, 3, 5

NO_CPU = 0xFFFF << 16
# Of `madvise`: gives memory now, or an error.
POPULATE_WRITE = 23
# Slots for which there is room at once.
STEP = 8192

order = sys.byteorder
pack_into = Struct("=QQQII").pack_into


def first_record(*record):
    """`emit` of a process that has no ring yet."""
    open_ring()
    emit(*record)


def no_record(*record):
    """`emit` of a process that nobody watches."""


def forked():
    """In a child: everything of its own, made when it has something to tell."""
    global emit, words, opened, local, strings, string_numbers, threads
    inherited.extend(made for made in opened.values() if not may_go(made[4]))
    emit = first_record
    words = None
    opened = {}
    local = _local()
    strings = {}
    string_numbers = itertools.count().__next__
    threads = itertools.count().__next__


def open_ring():
    """Of the threads that come here at the same time each makes a ring, and all use the first that is ready; the
    others were never told of. A lock would be waited for by a signal handler that came in between, or by a child
    that was forked meanwhile."""
    global emit, words
    here = opened
    if None not in here:
        try:
            if connection.dead:
                raise OSError
            own = make_ring()
        except ours(OSError) as error:
            reason = "ring\0" + str(error)
            own = no_record, [0] * (4 * ENTRIES), None, lambda: connection.no_probe(text_bytes(reason)), None
        is_first = here.setdefault(None, own) is own
        if here is not opened:  # In a signal handler that came in between a child was forked, and this is the child.
            return
        if is_first:
            own[3]()
        elif own[2] is not None:
            remove(own[2])
    emit, words = here[None][:2]


def remove(path):
    try:
        os.unlink(path)
    except ours(OSError):  # The folder has gone.
        pass


def make_ring():
    """Its `emit`, its words, its file, what tells of it, and its descriptor."""
    name = "%d-%d.ring" % (os.getpid(), now())
    for place in dict.fromkeys((rings, folder)):
        path = place + "/" + name
        try:
            ring, room, descriptor = map_ring(path)
            break
        except ours(OSError) as error:
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
        except ours(OSError) as error:
            full = True
            connection.no_probe(text_bytes("ring\0no more room: " + str(error)))
        return i < room

    def announce():
        connection.page = memoryview(ring)[40:48].cast("Q")
        connection.page[0] = connection.lost
        connection.say(RING, name.encode())

    Struct("=8xIIIIQII").pack_into(ring, 0, 1, SLOTS, os.getpid(), 0, now(), *own_cost(ring))
    ring[:8] = b"parvizR1"
    return emit, memoryview(ring)[ENTRIES_AT:HEADER].cast("Q"), path, announce, descriptor


def may_go(descriptor):
    """A map closes its own descriptor when it goes: the program may have closed that, and opened another there."""
    if descriptor is None:
        return True
    try:
        return place_of(descriptor[0]) == descriptor[1]
    except ours(OSError):
        return False


def place_of(fd):
    there = os.fstat(fd)
    return there.st_dev, there.st_ino


def map_ring(path):
    """The file, mapped, how many slots have room, and the descriptor of the map if it has one: memory that is only
    promised would kill the program when it is written to, so it is asked for first, a piece at a time where the
    system can do that."""
    size = HEADER + 32 * SLOTS
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    low = []
    try:
        while fd < 3:  # Standard descriptors that are closed stay so.
            low.append(fd)
            fd = os.dup(fd)
        os.ftruncate(fd, size)
        descriptor = None
        if sys.version_info >= (3, 13):
            ring = mmap.mmap(fd, size, trackfd=False)
        else:
            # The next one that is free, as far as no other thread takes it: then it is not known.
            number = os.dup(fd)
            os.close(number)
            ring = mmap.mmap(fd, size)
            descriptor = number, place_of(fd)
        try:
            if mmap.PAGESIZE != HEADER or not sys.platform.startswith("linux"):
                raise OSError
            ring.madvise(POPULATE_WRITE, 0, HEADER + 32 * STEP)
            return ring, STEP, descriptor
        except ours(OSError):
            if hasattr(os, "posix_fallocate"):
                os.posix_fallocate(fd, 0, size)
            return ring, SLOTS, descriptor
    except ours(OSError):
        os.unlink(path)
        raise
    finally:
        for number in low + [fd]:
            os.close(number)


def text_bytes(text):
    return text[:4096].encode("utf-8", "replace")[:4096]


def own_cost(ring):
    """What a record takes, and a coalesced item: the least of a few, in the first slot, that nobody reads yet."""
    load("_parviz_progress")
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


# Rings of the process that forked this one, whose maps cannot go.
inherited = []
opened = {}
emit = words = local = strings = string_numbers = threads = None
forked()
pools = itertools.count(1).__next__
