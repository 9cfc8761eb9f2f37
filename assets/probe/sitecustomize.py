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
# Nothing here may raise into the program, wait, print, or import what the program did not ask for.
# The wire is specified in src/origin/python/wire.rs.
import os
import sys

try:
    import _imp

    # As no file of the program: what measures or traces it passes over code that is from no file.
    _imp._fix_co_filename(sys._getframe().f_code, "<parviz>")
except Exception:
    pass


class Connection(object):
    """Messages to parviz: never waits; what cannot be sent is counted, and what comes to nobody is over."""

    def __init__(self, folder):
        from _thread import allocate_lock

        self.path = folder + "/socket"
        self.new_lock = allocate_lock
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
        self.waiting = []
        self.size = 0
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
        except OSError:
            return False
        return (there.st_dev, there.st_ino) == self.inode

    def say(self, kind, payload):
        if self.dead:
            return
        if not self.greeted:
            self.hello()
        if self.size > 1 << 18 and kind != 5:  # Without the name of the ring nothing would be known.
            self.lost += 1
            if self.page is not None:
                self.page[0] = self.lost
            return
        self.size += len(payload)
        self.waiting.append((len(payload) + 1).to_bytes(4, sys.byteorder) + bytes((kind,)) + payload)
        self.flush()

    def no_probe(self, text):
        """Something cannot be watched, from now on: what, NUL, why."""
        from time import monotonic

        self.say(4, int(monotonic() * 1e9).to_bytes(8, sys.byteorder) + text)

    def hello(self):
        self.greeted = True
        words = [sys.version.split()[0], sys.executable or ""]
        words += getattr(sys, "orig_argv", None) or getattr(sys, "argv", None) or []
        text = "\0".join(words).encode("utf-8", "replace")[:8192]
        head = os.getpid().to_bytes(4, sys.byteorder) + os.getppid().to_bytes(4, sys.byteorder)
        self.say(1, head + text)

    def flush(self):
        # Whoever finds the lock taken leaves the message to its holder, who looks again.
        while self.waiting and not self.dead and self.lock.acquire(False):
            try:
                if not self.send():
                    return
            except Exception:
                self.dead = True
            finally:
                self.lock.release()

    def send(self):
        """Sends what waits; false if nothing more goes for now."""
        import _socket

        if self.fd < 0:
            self.connect(_socket)
            if self.fd < 0:
                return False
        if not self.is_ours():
            self.dead = True
            return False
        there = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM, 0, self.fd)
        try:
            while self.waiting:
                message = self.waiting[0]
                sent = there.send(message, getattr(_socket, "MSG_NOSIGNAL", 0))
                if sent < len(message):
                    self.waiting[0] = message[sent:]
                    return False
                del self.waiting[0]
                self.size = max(0, self.size - sent)
        except BlockingIOError:
            return False
        finally:
            there.detach()
        return True

    def connect(self, _socket):
        there = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
        try:
            there.setblocking(False)
            there.connect(self.path)
        except BlockingIOError:  # Nobody accepts at present.
            there.close()
            return
        except OSError:
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
        except OSError:
            try:
                os.dup2(fd, number, False)
            except OSError:
                continue
            os.close(fd)
            return number
    while fd < 3:
        # The low ones are left open: whoever closed them meant them to lead nowhere.
        fd = os.dup(fd)
    return fd


class Finder(object):
    """Has a module patched as soon as it is imported; finds nothing by itself."""

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
            watch_import(spec.loader, self.patches.pop(name))
            if not self.patches:
                sys.meta_path.remove(self)
        except Exception:
            pass
        return spec


def watch_import(loader, patch):
    run = loader.exec_module

    def exec_module(module):
        run(module)
        try:
            del loader.exec_module
            patch(module)
        except Exception:
            pass

    # Python leaves the frames of its own import system out of tracebacks; this one is among them.
    name = "<frozen importlib._bootstrap_external>"
    exec_module.__code__ = exec_module.__code__.replace(co_filename=name)
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
            except Exception:
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
            except Exception:
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
    shared.update(connection=connection, folder=folder, rings=rings, inner_files=files)

    def no_probe(reason):
        connection.no_probe(b"Python\0" + reason.encode())

    def load(*names):
        """Runs other files of the probe, each once, in the namespace that all of them share."""
        import _frozen_importlib_external as machinery

        for name in names:
            known_as = "<parviz %s>" % name
            if known_as not in files:
                files.add(known_as)
                path = folder + "/" + name + ".py"
                code = machinery.SourceFileLoader(name, path).get_code(name)
                _imp._fix_co_filename(code, known_as)
                exec(code, shared)

    shared["load"] = load

    def patch(name, function):
        def run(module):
            try:
                load(name)
                shared[function](module)
            except OSError:  # The folder has gone, and with it whoever wanted to know.
                pass
            except Exception as error:
                reason = module.__name__ + "\0" + type(error).__name__ + ": " + str(error)
                connection.no_probe(reason.encode("utf-8", "replace")[:4096])

        return run

    def forked():
        connection.forked()
        if "forked" in shared:
            shared["forked"]()

    connection.hello()
    if sys.implementation.name != "cpython":
        return no_probe("this is " + sys.implementation.name + ", not CPython")
    if sys.version_info < (3, 8):
        return no_probe("Python 3.8 or later is needed")
    if not getattr(sys, "_is_gil_enabled", lambda: True)():
        return no_probe("this Python runs without its lock")
    os.register_at_fork(after_in_child=forked)
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
except Exception:
    pass

# The program's own, if it has one; if not, this raises what `site` expects when there is none.
here = os.path.dirname(os.path.abspath(__file__))
sys.path[:] = [entry for entry in sys.path if entry != here]
sys.modules.pop("sitecustomize", None)
import sitecustomize  # noqa: E402
