# What Python runs at start because this folder is the first of PYTHONPATH. It leaves everything as it would
# be without parviz, says hello, and waits for the modules that make pools; the other files do the rest. They
# share one namespace, and `load` at their top names those that they need:
#
# | file | holds |
# |---|---|
# | `_parviz_ring` | the ring of the process |
# | `_parviz_tell` | records, threads, texts |
# | `_parviz_frames`, `_parviz_hooks` | looking at callers; hooking in unseen |
# | `_parviz_progress` | how far a worker is with its chunk |
# | `_parviz_children` | processes that multiprocessing starts |
# | `_parviz_pool`, `_parviz_pool_results`, `_parviz_pool_workers` | `Pool` and `ThreadPool` |
# | `_parviz_futures`, `_parviz_futures_processes`, `_parviz_futures_threads` | executors |
#
# Nothing here may raise into the program (see `ours`), wait, print, or import what the program did not ask for.
# The wire is specified in src/origin/python/wire.rs.
import os
import sys

try:
    import _imp

    # As no file of the program: what measures or traces it passes over code that is from no file.
    _imp._fix_co_filename(sys._getframe().f_code, "<parviz>")
except Exception:
    pass


# What goes wrong in the work of the probe itself is one of these.
OWN_ERRORS = (ArithmeticError, AssertionError, AttributeError, BufferError, ImportError, LookupError, MemoryError)
OWN_ERRORS += (NameError, OSError, RuntimeError, TypeError, ValueError)


def ours(kinds=Exception):
    """For `except`: these kinds, if the exception that is looked at comes from the work of the probe, and none if the
    program raises it in the middle of that work: from a signal handler, or into a thread, as timeouts do."""
    error = sys.exc_info()[1]
    step = error.__traceback__
    while step.tb_next is not None:
        if is_interruption(step.tb_next.tb_frame, step.tb_frame):
            return ()
        step = step.tb_next
    if not step.tb_frame.f_code.co_filename.startswith("<parviz"):
        return kinds  # It called something that raised.
    # Without a frame of its own it is known by its kind only.
    kind = type(error)
    is_own = isinstance(error, OWN_ERRORS) and kind.__module__ in ("builtins", "struct")
    return kinds if is_own and kind is not TimeoutError else ()


def is_interruption(frame, interrupted):
    """Python gives a signal handler, or who traces, the frame that it interrupts; nothing that is called gets that."""
    there = frame.f_locals
    values = list(there.values())
    if type(there) is dict and frame.f_code.co_flags & 1:
        there.clear()
    for value in list(values):
        if type(value) is tuple:
            values += value
    return any(value is interrupted for value in values)


class Connection(object):
    """Messages to parviz: never waits; what cannot be sent is counted, and what comes to nobody is over."""

    def __init__(self, folder):
        from _thread import allocate_lock
        from time import monotonic

        self.path = folder + "/socket"
        self.new_lock = allocate_lock
        # As it is before the program may have put another in its place.
        self.monotonic = monotonic
        self.dead = False
        self.fd = -1
        self.forked()

    def forked(self):
        """In a child: what it inherited is its parent's."""
        if self.is_ours():
            os.close(self.fd)
        self.fd = -1
        self.inode = None
        self.lock = self.new_lock()
        # Messages, oldest first, and how much of the first one is sent. `None` is the hail of a connection, which is
        # made when it is sent: it comes before all others, whichever thread speaks first.
        self.waiting = [None]
        self.sent = 0
        self.size = 0
        # The first one is the hail; one was sent whole.
        self.hails = True
        self.greeted = False
        # Messages that were dropped, and where in the ring that is said once there is one.
        self.lost = 0
        self.page = None

    def is_ours(self):
        """A program may close descriptors that it does not know, and open others in their place."""
        if self.fd < 0:
            return False
        try:
            there = os.fstat(self.fd)
        except ours(OSError):
            return False
        return (there.st_dev, there.st_ino) == self.inode

    def say(self, kind, payload):
        # Without the name of the ring nothing would be known.
        if self.dead or self.size > 1 << 18 and kind != 5:
            self.lost += 1
            if self.page is not None:
                self.page[0] = self.lost
            return
        message = self.message(kind, payload)
        self.size += len(message)
        self.waiting.append(message)
        self.flush()

    def message(self, kind, payload):
        return (len(payload) + 1).to_bytes(4, sys.byteorder) + bytes((kind,)) + payload

    def no_probe(self, text):
        """Something cannot be watched, from now on: what, NUL, why."""
        self.say(4, int(self.monotonic() * 1e9).to_bytes(8, sys.byteorder) + text)

    def hail(self):
        if self.greeted:  # It was cut off, and goes on.
            return self.message(6, os.getpid().to_bytes(4, sys.byteorder))
        words = [sys.version.split()[0], sys.executable or ""]
        words += getattr(sys, "orig_argv", None) or getattr(sys, "argv", None) or []
        text = "\0".join(words).encode("utf-8", "replace")[:8192]
        head = os.getpid().to_bytes(4, sys.byteorder) + os.getppid().to_bytes(4, sys.byteorder)
        return self.message(1, head + text)

    def flush(self):
        # Whoever finds the lock taken leaves the message to its holder, who looks again.
        while self.waiting and not self.dead and self.lock.acquire(False):
            try:
                if not self.send():
                    return
            except ours():
                self.dead = True
            except BaseException:
                self.interrupted()
                raise
            finally:
                self.lock.release()

    def send(self):
        """Sends what waits; false if nothing more goes for now."""
        import _socket

        if self.fd >= 0 and not self.is_ours():
            self.cut_off()
        if self.fd < 0:
            self.connect(_socket)
            if self.fd < 0:
                return False
        there = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM, 0, self.fd)
        try:
            while self.waiting:
                message = self.waiting[0]
                if message is None:
                    message = self.waiting[0] = self.hail()
                    self.size += len(message)
                sent = there.send(message[self.sent :], getattr(_socket, "MSG_NOSIGNAL", 0))
                self.size = max(0, self.size - sent)
                self.sent += sent
                if self.sent < len(message):
                    return False
                self.sent = 0
                del self.waiting[0]
                if self.hails:
                    self.hails = False
                    self.greeted = True
        except ours(BlockingIOError):
            return False
        finally:
            there.detach()
        return True

    def interrupted(self):
        """How much of the first message went is not known: it goes again, through another connection."""
        if self.fd >= 0:
            if self.is_ours():
                os.close(self.fd)
            self.cut_off()

    def cut_off(self):
        """The program closed the descriptor, and may have something of its own there by now, which is left alone."""
        self.fd = -1
        self.sent = 0
        if self.hails:
            self.waiting[0] = None
        else:
            self.waiting.insert(0, None)
            self.hails = True

    def connect(self, _socket):
        there = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
        try:
            there.setblocking(False)
            there.connect(self.path)
        except ours(BlockingIOError):  # Nobody accepts at present.
            there.close()
            return
        except ours(OSError):
            there.close()
            self.dead = True
            return
        self.fd = high(there.detach())
        there = os.fstat(self.fd)
        self.inode = (there.st_dev, there.st_ino)


def high(fd):
    """The same at a number that the program does not meet: its own descriptors count as they always do."""
    for number in list(range(900, 910)) + list(range(240, 250)):
        try:
            os.fstat(number)
        except ours(OSError):
            try:
                os.dup2(fd, number, False)
            except ours(OSError):
                continue
            os.close(fd)
            return number
    while fd < 3:
        # The low ones are left open: whoever closed them meant them to lead nowhere.
        fd = os.dup(fd)
    return fd


class Finder(object):
    """Has a module patched as soon as it is imported; finds nothing by itself. It stays where it is: whoever goes
    through the finders in another thread would miss one if their number changed."""

    def __init__(self, patches):
        self.patches = patches

    def find_spec(self, name, path=None, target=None):
        if name not in self.patches:
            return None
        for finder in sys.meta_path:
            if finder is not self and hasattr(finder, "find_spec"):
                spec = finder.find_spec(name, path, target)
                if spec is not None:
                    break
        else:
            return None
        try:
            watch_import(spec.loader, name, self.patches)
        except ours():
            pass
        return spec


def watch_import(loader, name, patches):
    run = loader.exec_module

    def exec_module(module):
        run(module)
        try:
            del loader.exec_module
            patches.pop(name)(module)
        except ours():
            pass

    # Python leaves the frames of its own import system out of tracebacks; this one is among them.
    place = "<frozen importlib._bootstrap_external>"
    exec_module.__code__ = exec_module.__code__.replace(co_filename=place)
    loader.exec_module = exec_module


def hide(folder):
    """`os.environ` and `sys.path` as they would be; what children inherit stays."""
    sys.path[:] = [entry for entry in sys.path if entry != folder]
    sys.path_importer_cache.pop(folder, None)
    if sys.version_info < (3,):
        data, ours = os.environ.data, folder
    else:
        data, ours = os.environ._data, os.fsencode(folder)
    data.pop(b"PARVIZ_PROBE", None)
    data.pop(b"PARVIZ_RINGS", None)
    path = data.get(b"PYTHONPATH", b"")
    if path == ours:
        del data[b"PYTHONPATH"]
    elif path.startswith(ours + b":"):
        data[b"PYTHONPATH"] = path[len(ours) + 1 :]


class Environment(dict):
    """What `os.environ` holds. Where the program sets PYTHONPATH, or takes it away, children still find us:
    what they inherit of it has our folder in front, which they hide again."""

    def __setitem__(self, key, value):
        dict.__setitem__(self, key, value)
        self.lead(key)

    def __delitem__(self, key):
        try:
            dict.__delitem__(self, key)
        finally:
            self.lead(key)

    def lead(self, key):
        if key == b"PYTHONPATH":
            own = self.get(key)
            self.inherit(key, self.folder + b":" + own if own else self.folder)


def keep_first(folder):
    """Whatever becomes of PYTHONPATH in this program, its children look into our folder first."""
    environment = Environment(os.environ._data)
    environment.folder = os.fsencode(folder)
    environment.inherit = os.putenv
    os.environ._data = os.environb._data = environment


def help_subprocess(variables):
    """Python children that are given an environment of their own are watched as well."""

    def is_python(path):
        return os.path.basename(path).startswith(b"python")

    def with_probe(env):
        if any(entry.startswith(b"PARVIZ_PROBE=") for entry in env):
            return env
        path = b"PYTHONPATH=" + variables[b"PARVIZ_PROBE"]
        old = [entry[11:] for entry in env if entry.startswith(b"PYTHONPATH=")]
        if old and old[-1]:
            path += b":" + old[-1]
        rest = [entry for entry in env if not entry.startswith(b"PYTHONPATH=")]
        return rest + [path] + [name + b"=" + value for name, value in variables.items()]

    def patch(module):
        place = module if hasattr(module, "_fork_exec") else Stand(module._posixsubprocess)
        name = "_fork_exec" if place is module else "fork_exec"
        original = getattr(place, name)

        def fork_exec(*arguments):
            try:
                if arguments[5] is not None and any(map(is_python, arguments[1])):
                    arguments = arguments[:5] + (with_probe(arguments[5]),) + arguments[6:]
            except ours():
                pass
            return original(*arguments)

        setattr(place, name, fork_exec)
        if place is not module:
            module._posixsubprocess = place
        if sys.version_info >= (3, 13):
            module.os = Spawning(module.os)

    class Spawning(Stand):
        """`os`, for what gives it all of the environment."""

        @property
        def posix_spawn(self):
            try:
                # Looked up before the arguments are, and locals can be set here.
                there = sys._getframe(1).f_locals
                env = there["env"]
                if env is self.module.environ or is_python(os.fsencode(there["executable"])):
                    pairs = [os.fsencode(name) + b"=" + os.fsencode(value) for name, value in env.items()]
                    there["env"] = dict(pair.split(b"=", 1) for pair in with_probe(pairs))
            except ours():
                pass
            return self.module.posix_spawn

    return patch


class Stand(object):
    """A module of which one name is replaced for one importer only."""

    def __init__(self, module):
        self.module = module

    def __getattr__(self, name):
        return getattr(self.module, name)


def boot():
    folder = os.environ.get("PARVIZ_PROBE")
    if not folder:
        return
    rings = os.environ.get("PARVIZ_RINGS") or folder
    hide(folder)
    if sys.version_info < (3,):
        return
    keep_first(folder)
    variables = {b"PARVIZ_PROBE": os.fsencode(folder), b"PARVIZ_RINGS": os.fsencode(rings)}
    connection = Connection(folder)
    shared = {"__name__": "_parviz_probe", "__builtins__": __builtins__}
    # Those of the probe, by the names its code has; it adds those of the libraries.
    files = set()
    shared.update(connection=connection, folder=folder, rings=rings, inner_files=files, ours=ours)

    def no_probe(reason):
        connection.no_probe(b"Python\0" + reason.encode())

    # Two threads may import what is hooked at the same time. What is imported by whoever holds this does not import
    # what is hooked.
    from _thread import RLock

    lock = [RLock()]

    def load(*names):
        """Runs other files of the probe, each once, in the namespace that all of them share."""
        import _frozen_importlib_external as machinery

        for name in names:
            known_as = "<parviz %s>" % name
            if known_as not in files:
                path = folder + "/" + name + ".py"
                code = machinery.SourceFileLoader(name, path).get_code(name)
                _imp._fix_co_filename(code, known_as)
                exec(code, shared)
                files.add(known_as)

    shared["load"] = load

    def patch(name, function):
        def run(module):
            try:
                with lock[0]:
                    load(name)
                    shared[function](module)
            except ours() as error:
                if isinstance(error, OSError):  # The folder has gone, and with it whoever wanted to know.
                    return
                reason = module.__name__ + "\0" + type(error).__name__ + ": " + str(error)
                connection.no_probe(reason.encode("utf-8", "replace")[:4096])

        return run

    def forked():
        lock[0] = RLock()
        connection.forked()
        if "forked" in shared:
            shared["forked"]()

    connection.flush()
    if sys.implementation.name != "cpython":
        return no_probe("this is " + sys.implementation.name + ", not CPython")
    if sys.version_info < (3, 8):
        return no_probe("Python 3.8 or later is needed")
    if not getattr(sys, "_is_gil_enabled", lambda: True)():
        return no_probe("this Python runs without its lock")
    os.register_at_fork(after_in_child=forked)
    # A program may put others in their place before it imports what makes pools.
    import time

    shared.update(now=time.monotonic_ns, sleep=time.sleep, thread_time_ns=getattr(time, "thread_time_ns", None))
    patches = {
        "multiprocessing.pool": patch("_parviz_pool", "patch_pool"),
        "concurrent.futures.process": patch("_parviz_futures_processes", "patch_processes"),
        "concurrent.futures.thread": patch("_parviz_futures_threads", "patch_threads"),
        "subprocess": help_subprocess(variables),
    }
    for name in list(patches):
        if name in sys.modules:
            patches.pop(name)(sys.modules[name])
    if patches:
        sys.meta_path.insert(0, Finder(patches))


try:
    boot()
except ours():
    pass

# The program's own, if it has one; if not, this raises what `site` expects when there is none.
here = os.path.dirname(os.path.abspath(__file__))
sys.path[:] = [entry for entry in sys.path if entry != here]
sys.modules.pop("sitecustomize", None)
import sitecustomize  # noqa: E402
