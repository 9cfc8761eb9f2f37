"""What a program can see of where it runs; with `children` also what its children see."""
import os
import subprocess
import sys

# One extension module is loaded for the connection; nothing else may be there that the program did not ask for.
print(sorted(os.environ.items()), sys.path, sorted(name for name in sys.modules if name != "_socket"))
print(open(os.devnull).fileno(), sys.argv[1:])
try:
    import sitecustomize

    print("sitecustomize", sitecustomize.__file__, getattr(sitecustomize, "OWN", ""))
except ImportError as error:
    print(error)
sys.stdout.flush()
if sys.argv[1:] == ["children"]:
    subprocess.call([sys.executable, __file__])
    subprocess.call([sys.executable, __file__], env=dict(os.environ, MORE="1"))
    subprocess.call([sys.executable, __file__], env={"PYTHONPATH": os.path.dirname(__file__) + "/own"})
    subprocess.call([sys.executable, "-c", "import os; print(sorted(os.environ))"])
    before = dict(os.environ)
    os.environ["PYTHONPATH"] = os.path.dirname(__file__) + "/own"
    subprocess.call([sys.executable, __file__])
    print(os.environ.pop("PYTHONPATH"), os.environ.pop("PYTHONPATH", None), sorted(os.environb.items()))
    sys.stdout.flush()
    subprocess.call([sys.executable, __file__])
    os.environ.update(before)
    try:
        os.environ["PYTHONPATH"] = "\0"
    except ValueError:
        import traceback

        traceback.print_exc()
    try:
        subprocess.call(["/nowhere/python"], env={})
    except OSError:
        import traceback

        traceback.print_exc()
    child = os.fork()
    if child == 0:
        print(sorted(os.environ))
        sys.stdout.flush()
        os._exit(0)
    os.waitpid(child, 0)
