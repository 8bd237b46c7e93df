"""The content of any object as a digest: the same in every process, another one where data, settings or code differ."""

import copyreg
import functools
import hashlib
import importlib.util
import os
import sys
import sysconfig
from collections.abc import Callable
from pathlib import Path
from types import BuiltinFunctionType, CodeType, FunctionType, MappingProxyType, MethodType, ModuleType
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
import scipy.sparse

from skauto.search._code import imports, kept_attributes, loaded_names, moving_names
from skauto.search._sandbox import attempt

# Values whose type and text are all there is to them.
PLAIN = frozenset({str, int, float, bool, complex, bytes, type(None)})

# Attributes of classes that tell nothing of what they do, or of where they were written alone.
NO_CODE = {"__module__", "__qualname__", "__doc__", "__dict__", "__weakref__", "__annotations__", "__abstractmethods__",
           "_abc_impl", "__firstlineno__", "__static_attributes__"}  # fmt: skip


# Modules whose functions stood elsewhere in version 0.2, by which its journals know them.
MOVED = {"skauto.resample._label_scores": "skauto.resample._threshold"}

# What a value is made of, to be hashed.
Parts: TypeAlias = tuple[str | bytes | memoryview, ...]


class Content:
    """Reads objects down to their content; what is met twice is read once.

    Of installed packages functions and classes go by their names, since versions tell the rest. All other code goes
    by what it does: its instructions, constants, defaults, closure and the globals it names, and theirs. No name, no
    address in memory and no `repr` counts. Counters, caches and lists that a function itself writes to are no part of
    it: their state moves on.

    Attributes
    ----------
    code : dict
        A short digest by name of each function and global value that was read, to say what has changed.
    """

    def __init__(self) -> None:
        self.code: dict[str, str] = {}
        self._known: dict[int, bytes] = {}  # digests by id
        self._alive: list[Any] = []  # what has been read, so that no id is used again
        self._depth = 0

    def of(self, value: Any) -> bytes:
        """The digest of a value, bytes."""
        kind = type(value)
        if kind in PLAIN:
            return hashed(kind.__name__, repr(value))
        if id(value) not in self._known:
            self._alive.append(value)
            self._known[id(value)] = hashed("the one that is read at depth", str(self._depth))
            self._depth += 1
            self._known[id(value)] = hashed(*self._parts(value))
            self._depth -= 1
        return self._known[id(value)]

    def _parts(self, value: Any) -> Parts:
        reader = READERS.get(type(value))
        if reader is None:
            found = (reader for family, reader in FAMILIES if isinstance(value, family))
            reader = next(found, Content._rest)
        return reader(self, value)

    def _rest(self, value: Any) -> Parts:
        """What only a look tells: sparse matrices, tensors, numpy's one generator, and objects of all other kinds."""
        if scipy.sparse.issparse(value):
            rows = value.tocsr().sorted_indices()
            indices = rows.indices.astype(np.int64), rows.indptr.astype(np.int64)
            return type(value).__name__, repr(value.shape), *map(self.of, (rows.data, *indices))
        if value is np.random.mtrand._rand:
            return ("numpy's global random state",)
        torch = sys.modules.get("torch")
        if torch is not None and isinstance(value, torch.Tensor):
            made = attempt(lambda: value.detach().cpu().numpy()).value
            return type(value).__name__, str(value.dtype), self.of(repr(value) if made is None else made)
        return self._object(value)

    def _sequence(self, values: Any, kind: str | None = None) -> Parts:
        kind = kind or type(values).__name__
        if PLAIN.issuperset(map(type, values)):
            return kind, repr(list(values))
        return kind, *map(self.of, values)

    def _set(self, values: Any) -> Parts:
        return type(values).__name__, *sorted(map(self.of, values))

    def _dict(self, values: Any) -> Parts:
        return "dict", *(self.of(part) for pair in values.items() for part in pair)

    def _state(self, values: Any) -> Parts:
        """Attributes by name: the order in which they were set means nothing."""
        if not isinstance(values, dict):
            return (self.of(values),)
        pairs = sorted(values.items(), key=lambda pair: str(pair[0]))
        return "state", *(self.of(part) for pair in pairs for part in pair)

    def _array(self, values: np.ndarray, kind: str = "array") -> Parts:
        about = kind, values.dtype.str if values.dtype.names is None else repr(values.dtype), repr(values.shape)
        if values.dtype.names is not None:  # field by field: what lies between them means nothing
            return *about, *(self.of(np.ascontiguousarray(values[name])) for name in values.dtype.names)
        if values.dtype.hasobject:
            return *about, *self._sequence(values.ravel().tolist())
        flat: Any = np.ascontiguousarray(values).reshape(-1)
        return *about, memoryview(flat.view(np.uint8)) if flat.nbytes else b""

    def _frame(self, values: Any) -> Parts:
        """A table by its columns: in which blocks pandas holds them means nothing."""
        if isinstance(values, pd.DataFrame):
            columns = (values.iloc[:, index] for index in range(values.shape[1]))
            return "DataFrame", self.of(values.columns), self.of(values.index), *(self.of(c.array) for c in columns)
        if isinstance(values, pd.Series):
            return "Series", self.of(values.name), self.of(values.index), self.of(values.array)
        levels = values.names if isinstance(values, pd.MultiIndex) else [values.name]
        return "Index", self.of(list(levels)), self.of(values.array)

    def _column(self, values: Any) -> Parts:
        """A column of pandas, whatever holds its values."""
        if isinstance(values, pd.Categorical):
            return "categories", str(values.ordered), self.of(values.categories), self.of(np.asarray(values.codes))
        if hasattr(values, "asi8"):  # points in time
            return "column", str(values.dtype), self.of(values.asi8)
        plain = isinstance(values.dtype, np.dtype) or isinstance(values, pd.arrays.NumpyExtensionArray)
        return "column", str(values.dtype), self.of(np.asarray(values, None if plain else object))

    def _class(self, cls: type) -> Parts:
        if is_named(cls):
            return "class", cls.__module__, cls.__qualname__
        methods = [value for value in map(_function_in, vars(cls).values()) if value is not None]
        written = {name for method in methods for name in moving_names(method.__code__).get(cls.__name__, ())}
        own = {name: value for name, value in vars(cls).items() if name not in NO_CODE | written}
        return "class", self.of(type(cls)), *map(self.of, cls.__bases__), *self._state(own)

    def _function(self, function: FunctionType) -> Parts:
        if is_named(function):
            return "function", MOVED.get(function.__module__, function.__module__), function.__qualname__
        code, moving = function.__code__, moving_names(function.__code__)
        inner = self._code(code, function.__doc__)
        label = function.__qualname__.replace("<locals>.", "")
        self.code[label] = hashed(*inner).hex()[:8]
        own = {name: value for name, value in vars(function).items()
               if name != "__wrapped__" and name not in moving.get(function.__name__, ())}  # fmt: skip
        cells = zip(code.co_freevars, function.__closure__ or (), strict=True)
        around = {name: attempt(lambda cell=cell: cell.cell_contents).value for name, cell in cells}
        if not _is_installed(function.__globals__.get("__name__")):
            around |= {name: function.__globals__[name] for name in loaded_names(code) if name in function.__globals__}
        parts = [part for name in sorted(around) for part in self._named(name, around[name], code, moving, label)]
        parts += [self._module(module, code, set()) for module in self._imported(function)]
        settings = self.of(function.__defaults__), self.of(function.__kwdefaults__), *self._state(own)
        return "function", *inner, *settings, *parts

    def _named(self, name: str, value: Any, code: CodeType, moving: dict[str, set[str]], label: str) -> Parts:
        """What a function calls by a name outside of it."""
        if isinstance(value, ModuleType):
            return name, self._module(value, code, set(moving.get(name, ())))
        if name in moving and not isinstance(value, (type, FunctionType)):
            return name, "moving"
        made = self.of(value)
        if not isinstance(value, (type, FunctionType)):
            self.code[f"{name} in {label}"] = made.hex()[:8]
        return name, made

    def _module(self, module: ModuleType, code: CodeType, seen: set[Any]) -> bytes:
        """An installed module by name, another one by those of its attributes that the code names."""
        if _is_installed(module.__name__):
            return hashed("module", module.__name__)
        seen = seen | {id(module)}
        parts: list[str | bytes] = []
        for name in sorted(_all_names(code) & vars(module).keys() - seen):
            value = vars(module)[name]
            if isinstance(value, ModuleType):
                parts += [] if id(value) in seen else [name, self._module(value, code, seen)]
            else:
                parts += [name, self.of(value)]
        return hashed("module", *parts)

    def _imported(self, function: FunctionType) -> list[ModuleType]:
        """Modules outside installed packages that a function imports when it is called."""
        package = function.__globals__.get("__package__") or ""
        names = [f"{'.' * level}{name}" if level else name for level, name in imports(function.__code__)]
        full = [attempt(importlib.util.resolve_name, name, package).value for name in names]
        own = [name for name in full if name and not _is_installed(name)]
        return [module for module in (attempt(importlib.import_module, name).value for name in own) if module]

    def _code(self, code: CodeType, doc: str | None = None) -> Parts:
        """What a code object does; no file, line or name of it, and no docstring."""
        n_arguments = code.co_argcount + code.co_kwonlyargcount + bool(code.co_flags & 4) + bool(code.co_flags & 8)
        shape = code.co_posonlyargcount, code.co_argcount, code.co_kwonlyargcount, code.co_flags
        names = code.co_names, code.co_varnames[:n_arguments], code.co_freevars, code.co_cellvars
        consts = [None if index == 0 and doc is not None and const == doc else const
                  for index, const in enumerate(code.co_consts)]  # fmt: skip
        table = getattr(code, "co_exceptiontable", b"")
        return "code", code.co_code, table, repr(shape), repr(names), *map(self.of, consts)

    def _object(self, value: Any) -> Parts:
        """Anything else as it would be pickled; what cannot be by its class and attributes."""
        if isinstance(getattr(value, "__wrapped__", None), FunctionType) and is_named(type(value)):
            return "wrapper", self.of(type(value)), self.of(value.__wrapped__)  # what caches and compiles a function
        reducer = copyreg.dispatch_table.get(type(value))
        reduced = attempt(*((reducer, value) if reducer else (value.__reduce_ex__, 4))).value
        if isinstance(reduced, tuple):
            function, args, *more = reduced
            state, items, pairs = (*more[:3], *(None,) * (3 - len(more[:3])))  # type: ignore[misc]  # of three
            lists = [None if part is None else list(part) for part in (items, pairs)]
            return "object", self.of(function), self.of(args), *self._state(_kept(value, state)), *map(self.of, lists)
        if isinstance(reduced, str):
            return "named", str(getattr(value, "__module__", "")), reduced
        return "object", self.of(type(value)), *self._state(_kept(value, getattr(value, "__dict__", None)))

    def _builtin(self, value: Any) -> Parts:
        owner = value.__self__
        bound = () if owner is None or isinstance(owner, ModuleType) else (self.of(owner),)
        return "builtin", str(value.__module__), value.__qualname__, *bound


READERS: dict[type, Callable[..., Parts]] = {
    list: Content._sequence,
    tuple: Content._sequence,
    set: Content._set,
    frozenset: Content._set,
    dict: Content._dict,
    MappingProxyType: Content._dict,
    np.ndarray: Content._array,
    FunctionType: Content._function,
    CodeType: Content._code,
    BuiltinFunctionType: Content._builtin,
    ModuleType: lambda content, value: ("module", value.__name__),
    MethodType: lambda content, value: ("method", content.of(value.__func__), content.of(value.__self__)),
    staticmethod: lambda content, value: ("static", content.of(value.__func__)),
    classmethod: lambda content, value: ("class", content.of(value.__func__)),
    property: lambda content, value: ("property", *map(content.of, (value.fget, value.fset, value.fdel))),
}

FAMILIES: tuple[tuple[Any, Callable[..., Parts]], ...] = (
    (type, Content._class),
    ((pd.DataFrame, pd.Series, pd.Index), Content._frame),
    (pd.api.extensions.ExtensionArray, Content._column),
    (np.memmap, lambda content, value: content._array(np.asarray(value))),
    (np.generic, lambda content, value: content._array(np.asarray(value), "scalar")),
)


def hashed(*parts: str | bytes | memoryview) -> bytes:
    """A digest of strings and bytes, each with its length."""
    made = hashlib.blake2b(digest_size=16)
    for part in parts:
        part = part.encode("utf-8", "surrogatepass") if isinstance(part, str) else part
        made.update(len(part).to_bytes(8, "little"))
        made.update(part)
    return made.digest()


def _function_in(value: Any) -> FunctionType | None:
    """The function of a class attribute, None where it is something else."""
    value = getattr(value, "__func__", None) or getattr(value, "fget", None) or value
    return value if isinstance(value, FunctionType) else None


def _kept(value: Any, state: Any) -> Any:
    """The state without what moves on in objects of classes outside installed packages.

    That is what their methods change in place (counters, logs), set when called, or work out once and keep.
    """
    if not isinstance(state, dict) or is_named(type(value)):
        return state
    plain: set[str] = set()
    moving: set[str] = set()
    for cls in (cls for cls in type(value).__mro__ if not is_named(cls)):
        for name, member in vars(cls).items():
            method = _function_in(member)
            if isinstance(member, functools.cached_property):
                moving.add(name)
            elif method is not None and name not in ("__init__", "__setstate__"):
                sets, changes = kept_attributes(method.__code__)
                moving |= changes | (sets if name == "__call__" else set())
                plain |= sets if name != "__call__" else set()
    return {name: part for name, part in state.items() if name not in moving - plain}


def _all_names(code: CodeType) -> set[str]:
    """Names of globals and attributes in a code object and those inside it."""
    inner = (const for const in code.co_consts if isinstance(const, CodeType))
    return set(code.co_names).union(*map(_all_names, inner))


def is_named(thing: Any) -> bool:
    """Whether a function or class of an installed package is found there under its name."""
    if not _is_installed(thing.__module__):
        return False
    found = sys.modules.get(thing.__module__)
    for name in thing.__qualname__.split("."):
        found = getattr(found, name, None)
    return found is thing


def _is_installed(name: Any) -> bool:
    """Whether a module is Python's own, skauto's or in a folder of installed packages."""
    if not isinstance(name, str) or name == "__main__":
        return False
    top = name.partition(".")[0]
    if top == "skauto" or top in sys.builtin_module_names:
        return True
    module = sys.modules.get(name) or sys.modules.get(top)
    path = getattr(module, "__file__", None)
    if path is None:
        spec = attempt(importlib.util.find_spec, top).value
        locations = list(spec.submodule_search_locations or ()) if spec is not None else []
        path = locations[0] if locations else getattr(spec, "origin", None)
    return path in ("built-in", "frozen") or (path is not None and _is_of_packages(path))


@functools.cache
def _is_of_packages(path: str | Path) -> bool:
    path = Path(os.path.realpath(path))
    if {"site-packages", "dist-packages"} & set(path.parts):
        return True
    return any(path.is_relative_to(os.path.realpath(sysconfig.get_path(name))) for name in ("stdlib", "platstdlib"))
