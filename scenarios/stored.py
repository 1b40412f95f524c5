"""Columns in a file: written whole, read with a check of format, columns and digest."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, BinaryIO, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from scenarios.errors import TraceError
from scenarios.files import write_atomic


@dataclass(frozen=True)
class Stored:
    """A kind of file.

    Attributes
    ----------
    head : str
        Name of the entry that holds format, digest and `about`; tells this kind from others.
    format : int
    columns : mapping of str to numpy type
    version : str
        How a format is told: "a trace of format".
    absent, other, damaged : str
        What is said of a file that is not there, is something else, is damaged.
    remedy : str
        What to do.
    """

    head: str
    format: int
    columns: Mapping[str, type[np.generic]]
    version: str
    absent: str
    other: str
    damaged: str
    remedy: str

    def frozen(self, columns: Mapping[str, NDArray[Any]]) -> Mapping[str, NDArray[Any]]:
        """The columns with their types, read-only."""
        out = {}
        for name, kind in self.columns.items():
            column = np.ascontiguousarray(columns[name], dtype=kind)
            column.flags.writeable = False
            out[name] = column
        return MappingProxyType(out)

    def digest(self, columns: Mapping[str, NDArray[Any]], about: Mapping[str, Any]) -> str:
        """SHA-256 over frozen columns and `about`, in hexadecimal."""
        h = hashlib.sha256(json.dumps([self.format, dict(about)], sort_keys=True).encode())
        for name, column in columns.items():
            h.update(name.encode())
            h.update(column.data)
        return h.hexdigest()

    def save(self, path: Path, columns: Mapping[str, NDArray[Any]], about: Mapping[str, Any], digest: str) -> None:
        """Write `.npz`: whole, under a new name, then renamed; raises `InputError` if that fails."""
        head = {"format": self.format, "digest": digest, "about": dict(about)}

        def write(file: BinaryIO) -> None:
            text = np.frombuffer(json.dumps(head, sort_keys=True).encode(), dtype=np.uint8)
            np.savez_compressed(file, **{self.head: text}, **columns)  # type: ignore[arg-type]

        write_atomic(path, write)

    def load(self, path: Path) -> tuple[dict[str, NDArray[Any]], dict[str, Any], str]:
        """Columns, `about`, and the digest that they should have: the caller compares it.

        Raises
        ------
        TraceError
            If the file is missing, something else, of another format, lacks columns, or is damaged.
        """
        if not path.is_file():
            raise TraceError(f"{path}: no such file; {self.absent}")
        try:
            with path.open("rb") as file:
                return self._read(path, file)
        except TraceError:
            raise
        except Exception as error:  # a damaged archive makes numpy and zipfile raise nearly anything
            raise TraceError(f"{path}: is damaged or {self.damaged} ({error}); {self.remedy}") from error

    def checked(self, path: Path, found: str, told: str) -> None:
        """Raise `TraceError` if the digest of what was read is not the one that the file tells."""
        if found != told:
            raise TraceError(f"{path}: is damaged, its digest does not match its columns; {self.remedy}")

    def _read(self, path: Path, file: BinaryIO) -> tuple[dict[str, NDArray[Any]], dict[str, Any], str]:
        stored = np.load(file, allow_pickle=False)
        names = set(stored.files) if isinstance(stored, np.lib.npyio.NpzFile) else set()
        if self.head not in names:
            raise TraceError(f"{path}: {self.other}")
        head = json.loads(bytes(stored[self.head]).decode())
        if head["format"] != self.format:
            raise TraceError(
                f"{path}: is {self.version} {head['format']}, this version reads format {self.format}; {self.remedy}"
            )
        lacking = sorted(set(self.columns) - names)
        if lacking:
            raise TraceError(f"{path}: lacks the columns {', '.join(lacking)}; {self.remedy}")
        return {name: stored[name] for name in self.columns}, head["about"], head["digest"]


@dataclass(frozen=True)
class Kept:
    """Columns with where they came from, frozen; what is kept in a kind of file derives from it.

    Attributes
    ----------
    columns : mapping of str to (n,) array
        As the kind says, read-only.
    about : mapping, ready for JSON
    digest : str
        SHA-256 over columns and `about`, in hexadecimal.
    """

    KIND: ClassVar[Stored]

    columns: Mapping[str, NDArray[Any]]
    about: Mapping[str, Any]
    digest: str = field(default="")

    def __post_init__(self) -> None:
        columns = self.KIND.frozen(self.columns)
        object.__setattr__(self, "columns", columns)
        object.__setattr__(self, "about", MappingProxyType(dict(self.about)))
        object.__setattr__(self, "digest", self.KIND.digest(columns, self.about))

    def __getitem__(self, name: str) -> NDArray[Any]:
        return self.columns[name]

    def __len__(self) -> int:
        return int(next(iter(self.columns.values())).size)

    def save(self, path: Path) -> None:
        """Write it as `.npz`: whole, under a new name, then renamed; raises `InputError` if that fails."""
        self.KIND.save(path, self.columns, self.about, self.digest)

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read what `save` wrote; raises `TraceError` if it is missing, something else, or damaged."""
        columns, about, digest = cls.KIND.load(path)
        found = cls(columns, about)
        cls.KIND.checked(path, found.digest, digest)
        return found
