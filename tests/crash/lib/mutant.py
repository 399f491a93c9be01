"""Programs with a fault made on purpose, to see whether a test notices."""
import hashlib
import os
import shutil
import subprocess

from stage import TOP

BUILD = os.path.join(TOP, os.environ.get("PH_BUILD", "build"))


def digest(path):
    with open(path, "rb") as f:
        return hashlib.sha256(f.read()).digest()


def make(copy, program, source, *how):
    """A copy of the build, in which the program is made again."""
    subprocess.run(["cp", "-a", BUILD, copy], check=True)
    out = subprocess.run(["make", "-C", source, "-s", "BUILD=" + copy, *how,
                          copy + "/bin/" + program],
                         capture_output=True, text=True)
    if out.returncode != 0:
        raise RuntimeError(out.stdout + out.stderr)
    if digest(BUILD + "/bin/" + program) == digest(copy + "/bin/" + program):
        raise RuntimeError("the mutant is none")
    return copy


def edited(dir, program, file, old, new):
    """... from a source in which old, which stands there once, is new."""
    source = dir + "/source"
    shutil.copytree(TOP, source, ignore=lambda d, names: [
        n for n in names if n == ".git" or n.startswith("build")
        and d == TOP or n == "__pycache__"])
    with open(source + "/" + file) as f:
        text = f.read()
    if text.count(old) != 1:
        raise RuntimeError("%s has %d of it: %s" % (file, text.count(old), old))
    with open(source + "/" + file, "w") as f:
        f.write(text.replace(old, new))
    return make(dir + "/build", program, source)
