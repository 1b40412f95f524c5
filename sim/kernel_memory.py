"""Rows of memory as compiled code sees them: a record at an address.

Numba could be given arrays of numpy records. But it counts references to every array in every call
(150 ns with a dozen arrays, more than all the rest of the work), and looks at every field of a record
whenever it compares two types (minutes of compilation). So the tables of the compiled engine are
arrays that Python owns for the time of a run, compiled code has their addresses, and a row is a plain
pointer, whose fields are read as int64, uint64 or float64.
"""

from __future__ import annotations

from typing import Any

import numba
import numba.core.typing.templates
import numba.extending
import numpy as np
from llvmlite import ir  # type: ignore[import-untyped]

CACHE_LINE = 64
types: Any = numba.types
extending: Any = numba.extending
templates: Any = numba.core.typing.templates
WIDE = {"i": types.int64, "u": types.uint64, "f": types.float64}


class Record:
    """What a row of a table is made of: kinds of numbers, each with the names of the fields that have it."""

    def __init__(self, name: str, **kinds: str) -> None:
        fields = [(field, kind) for kind, names in kinds.items() for field in names.split()]
        self.name, self.dtype = name, np.dtype(fields, align=True)
        self.row_type, self.type = _RowType(self), _RecordType(self)


class _RowType(types.Opaque):  # type: ignore[misc]
    """Numba's type of a row; equal names are equal types."""

    def __init__(self, record: Record) -> None:
        self.record = record
        super().__init__(f"row({record.name})")

    def wide(self, field: str) -> Any:
        """The type as which a field is read and written, None if there is none."""
        kinds: Any = self.record.dtype.fields
        return WIDE[kinds[field][0].kind] if field in kinds else None


class _RecordType(types.Opaque):  # type: ignore[misc]
    """Numba's type of a record, where compiled code names it."""

    def __init__(self, record: Record) -> None:
        self.record = record
        super().__init__(f"record({record.name})")


def _typeof(record: Record, _: Any) -> Any:
    return record.type


class _Fields(templates.AttributeTemplate):  # type: ignore[misc]
    key = _RowType

    def generic_resolve(self, row: Any, field: str) -> Any:
        return row.wide(field)


def _place(context: Any, builder: Any, row: Any, pointer: Any, field: str) -> tuple[Any, Any]:
    """Pointer to a field, and the type that is stored there."""
    kind, offset = row.record.dtype.fields[field][:2]
    stored = getattr(types, kind.name)
    at = builder.gep(pointer, [context.get_constant(types.intp, offset)])
    return builder.bitcast(at, context.get_value_type(stored).as_pointer()), stored


def _read(context: Any, builder: Any, row: Any, pointer: Any, field: str) -> Any:
    at, stored = _place(context, builder, row, pointer, field)
    return context.cast(builder, builder.load(at), stored, row.wide(field))


def _write(context: Any, builder: Any, signature: Any, arguments: Any, field: str) -> None:
    row, wide = signature.args
    at, stored = _place(context, builder, row, arguments[0], field)
    builder.store(context.cast(builder, arguments[1], wide, stored), at)


for _type in (_RowType, _RecordType):
    extending.register_model(_type)(extending.models.OpaqueModel)
extending.typeof_impl.register(Record)(_typeof)
extending.infer_getattr(_Fields)
extending.lower_getattr_generic(_RowType)(_read)
extending.lower_setattr_generic(_RowType)(_write)


def _row(_: Any, address: Any, index: Any, record: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        base = context.cast(builder, arguments[0], signature.args[0], types.uint64)
        place = context.cast(builder, arguments[1], signature.args[1], types.uint64)
        size = context.get_constant(types.uint64, record.record.dtype.itemsize)
        return builder.inttoptr(
            builder.add(base, builder.mul(place, size)), context.get_value_type(signature.return_type)
        )

    return record.record.row_type(address, index, record), generate


def _pointer(_: Any, address: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        whole = context.cast(builder, arguments[0], signature.args[0], types.uint64)
        return builder.inttoptr(whole, context.get_value_type(types.voidptr))

    return types.voidptr(address), generate


def _prefetch(_: Any, row: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        number = ir.IntType(32)
        kind = ir.FunctionType(ir.VoidType(), [arguments[0].type, number, number, number])
        fetch = builder.module.declare_intrinsic("llvm.prefetch", [arguments[0].type], kind)
        to_write, keep, data = (ir.Constant(number, value) for value in (1, 3, 1))
        for line in range(0, row.record.dtype.itemsize, CACHE_LINE):
            at = builder.gep(arguments[0], [context.get_constant(types.intp, line)])
            builder.call(fetch, [at, to_write, keep, data])
        return context.get_dummy_value()

    return types.none(row), generate


row: Any = extending.intrinsic(_row)
"""row(address, index, record): row number `index` of the table at `address`, to read and write."""

prefetch: Any = extending.intrinsic(_prefetch)
"""prefetch(row): the row will be read or written soon, and may lie far away. Changes nothing but the time it takes."""

pointer: Any = extending.intrinsic(_pointer)
"""pointer(address): what `numba.carray` takes to make an array of it."""
