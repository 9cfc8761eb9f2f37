"""A program's own, which runs as it would."""
import sys

OWN = "own"
print("customized", sys.path[0].rsplit("/", 1)[-1])
