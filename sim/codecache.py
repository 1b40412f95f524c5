"""Where compiled code is kept from one process to the next, and what is said when it cannot be.

The folder is named by a digest of this room's sources. Numba looks only at the file of the function
that is called first, so after a change in a function that it calls, it would load what is stale.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import numba.core.caching
import numba.core.codegen
import numba.core.compiler
import numba.core.config
import numba.core.dispatcher
import numba.core.registry

from scenarios.storage import cache_folder

KEPT_VERSIONS = 4
settings: Any = numba.core.config
types: Any = numba.types
compiler: Any = numba.core.compiler
FunctionCompiler: Any = numba.core.dispatcher._FunctionCompiler  # type: ignore[attr-defined]
JITCodeLibrary: Any = numba.core.codegen.JITCodeLibrary
FunctionCache: Any = numba.core.caching.FunctionCache
Dispatcher: Any = numba.core.registry.CPUDispatcher
PART = {"nopython": True, "nogil": True, "error_model": "numpy", "no_cpython_wrapper": True, "no_cfunc_wrapper": True}
_said: set[str] = set()


def sources_digest() -> str:
    """Digest of the sources of this room."""
    found = hashlib.sha256()
    for path in sorted(Path(__file__).parent.glob("*.py")):
        found.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return found.hexdigest()[:16]


def code_folder() -> Path | None:
    """Folder for the compiled code of these sources; None, with a word on stderr, if nothing can be kept."""
    named = os.environ.get("NUMBA_CACHE_DIR")
    try:
        folder = (Path(named) if named else cache_folder()) / f"numba-{sources_digest()}"
        new = not folder.is_dir()
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not os.access(folder, os.W_OK | os.X_OK):
            raise PermissionError(0, f"no permission to write in {folder}")
    except OSError as error:
        _cannot_keep(error)
        return None
    with suppress(OSError):
        os.utime(folder)
    if new:
        _forget_old(folder)
    return folder


def _forget_old(folder: Path) -> None:
    """Remove what other versions left, but for the last few used."""
    with suppress(OSError):
        others = sorted(folder.parent.glob("numba-*"), key=lambda path: path.stat().st_mtime, reverse=True)
        for path in others[KEPT_VERSIONS:]:
            shutil.rmtree(path, ignore_errors=True)


def _cannot_keep(error: Exception) -> None:
    """Once a process, to whoever waits."""
    if not _said:
        reason = getattr(error, "strerror", None) or str(error)
        text = f"compiled code cannot be kept ({reason}); every process compiles anew, about a minute"
        print(f"ashcloud: {text}", file=sys.stderr)
    _said.add("")


class _Cache(FunctionCache):  # type: ignore[misc]
    """Numba's cache, for which a full disk is no reason to stop."""

    def save_overload(self, sig: Any, data: Any) -> None:
        try:
            super().save_overload(sig, data)
        except OSError as error:
            _cannot_keep(error)


class _Function(Dispatcher):  # type: ignore[misc]
    """A compiled function. Numba would compile it anew for every constant that another one gives it."""

    def get_call_template(self, args: Any, kws: Any) -> Any:
        return super().get_call_template(tuple(_general(kind) for kind in args), kws)


def _general(kind: Any) -> Any:
    kind = types.unliteral(kind)
    return types.int64 if kind == types.boolean else kind


_FOLDER = code_folder()


def compiled(function: Callable[..., Any]) -> Any:
    """Compile a function at its first call, without the interpreter's lock; keep the code if possible."""
    made = _Function(py_func=function, targetoptions={"nopython": True, "nogil": True})
    if _FOLDER is None:
        return made
    before, settings.CACHE_DIR = settings.CACHE_DIR, str(_FOLDER)
    try:
        made._cache = _Cache(function)
    except (RuntimeError, OSError) as error:  # Numba finds no place either
        _cannot_keep(error)
    finally:
        settings.CACHE_DIR = before
    return made


class _Unfinished(JITCodeLibrary):  # type: ignore[misc]
    """Code of a part: it becomes machine code inside of those that call it, and is optimised there.

    Numba would do both for each part on its own as well, with all that the part calls: two thirds of the time to
    compile the engine went there.
    """

    def _optimize_final_module(self) -> None:
        """Not yet."""

    def _finalize_final_module(self) -> None:
        self._finalize_dynamic_globals()
        self._finalized = True


class _PartCompiler(FunctionCompiler):  # type: ignore[misc]
    """Compiles a part as far as its callers need it."""

    def _compile_core(self, args: Any, return_type: Any) -> Any:
        target = self.targetdescr.target_context
        flags = compiler.Flags()
        self.targetdescr.options.parse_as_flags(flags, self.targetoptions)
        flags.no_compile = True
        library = _Unfinished(target.codegen(), self.py_func.__qualname__)
        made = compiler.compile_extra(
            self.targetdescr.typing_context, target, self.py_func, args=args, return_type=return_type, flags=flags,
            locals=self.locals, pipeline_class=self.pipeline_class, library=library,
        )  # fmt: skip
        name = partial(_never, self.py_func.__qualname__)  # by which callers find it; nobody calls it from Python
        target.insert_user_function(name, made.fndesc, [made.library])
        return made._replace(entry_point=name)


def _never(name: str, *_: Any) -> None:
    raise RuntimeError(f"{name} is a part of compiled functions, and is not called from Python")


class _Part(_Function):
    """A function that only compiled functions call."""

    def __init__(self, function: Callable[..., Any]) -> None:
        super().__init__(py_func=function, targetoptions=dict(PART))
        self._compiler: Any = _PartCompiler(function, self.targetdescr, self.targetoptions, {}, compiler.Compiler)

    def add_overload(self, made: Any) -> None:
        """Keep what was compiled; the interpreter's table of what it may call does not need it."""
        self.overloads[tuple(made.signature.args)] = made


def part(function: Callable[..., Any]) -> Any:
    """Compile a function as a part of those that call it; it is kept with them."""
    return _Part(function)


def is_kept(function: Any, given: tuple[Any, ...]) -> bool:
    """Whether a compiled function, given these types, needs no compiling: its code is here or is kept."""
    if given in function.overloads:
        return True
    place = getattr(function._cache, "_cache_file", None)
    if place is None:
        return False
    return function._cache._index_key(given, function.targetctx.codegen()) in place._load_index()
