"""What a function reads from outside itself, and what it writes there, told from its instructions."""

import dis
from types import CodeType

READ = ("LOAD_GLOBAL", "LOAD_NAME", "LOAD_DEREF", "LOAD_CLASSDEREF")
WRITTEN = ("STORE_GLOBAL", "DELETE_GLOBAL", "STORE_DEREF", "DELETE_DEREF")
# Methods of lists, dicts, sets, queues and files that change them.
LISTS = {"append", "appendleft", "extend", "insert", "pop", "popleft", "remove", "clear"}
CHANGING = LISTS | {"add", "discard", "popitem", "put", "setdefault", "update", "write", "writelines"}


def loaded_names(code: CodeType) -> set[str]:
    """Names of globals that a code object and those inside it read; none of those with two underscores around."""
    names = {op.argval for op in _instructions(code) if op.opname in ("LOAD_GLOBAL", "LOAD_NAME")}
    return {name for name in names.union(*map(loaded_names, _inside(code))) if not name.startswith("__")}


def imports(code: CodeType) -> list[tuple[int, str]]:
    """Pairs of level and name of the modules that are imported inside, sorted."""
    ops, found = _instructions(code), set()
    for position, op in enumerate(ops):
        if op.opname == "IMPORT_NAME":
            level = ops[position - 2].argval if position >= 2 else 0
            found.add((level if isinstance(level, int) else 0, op.argval))
    return sorted(found.union(*map(imports, _inside(code))))


def moving_names(code: CodeType) -> dict[str, set[str]]:
    """What a function changes outside itself: by the name of the global or outer variable, the attributes it sets.

    A name is there too if it is set anew, if an item of it is set, or a changing method of it called, as in
    ``calls.append(1)``, ``counts[key] += 1`` and ``Seen.last = x``.
    """
    ops, heights = _instructions(code), _heights(code)
    found: dict[str, set[str]] = {}
    for position, op in enumerate(ops):
        if op.opname in WRITTEN and op.argval not in code.co_cellvars:
            found.setdefault(op.argval, set())
        below = _depth_of_changed(ops, position)
        if below is None:
            continue
        root = _producer(heights, position, heights[position] - below)
        if root is not None and ops[root].opname in READ:
            attribute = {op.argval} if op.opname == "STORE_ATTR" else set()
            attribute |= {ops[position + 1].argval} if op.opname == "COPY" and below == 1 else set()
            found.setdefault(ops[root].argval, set()).update(attribute)
    for inner in map(moving_names, _inside(code)):
        for name, attributes in inner.items():
            found.setdefault(name, set()).update(attributes)
    return found


def kept_attributes(code: CodeType) -> tuple[set[str], set[str]]:
    """Attributes of its first argument that a method sets, and those that it changes in place, as two sets."""
    ops, heights = _instructions(code), _heights(code)
    plain: set[str] = set()
    changed: set[str] = set()
    for position, op in enumerate(ops):
        below = _depth_of_changed(ops, position)
        root = None if below is None else _producer(heights, position, heights[position] - below)
        if root is None or ops[root].opname != "LOAD_FAST" or ops[root].argval != code.co_varnames[0]:
            continue
        direct = root == position - 1
        if op.opname == "STORE_ATTR" and direct:
            plain.add(op.argval)
        elif ops[root + 1].opname in ("COPY", "LOAD_ATTR"):
            changed.add(ops[root + 1 + (ops[root + 1].opname == "COPY")].argval)
    return plain, changed


def _depth_of_changed(ops: list[dis.Instruction], position: int) -> int | None:
    """How far below the top of the stack lies what an instruction changes, None if it changes nothing."""
    op, following = ops[position], [(later.opname, later.arg) for later in ops[position + 1 : position + 3]]
    if op.opname in ("STORE_SUBSCR", "DELETE_SUBSCR"):
        return 2
    if op.opname in ("STORE_ATTR", "DELETE_ATTR"):
        return 1
    if op.opname in ("LOAD_METHOD", "LOAD_ATTR") and op.argval in CHANGING:
        return 1
    if op.opname == "COPY" and op.arg == 2 and [name for name, _ in following] == ["COPY", "BINARY_SUBSCR"]:
        return 2  # an item is read to be changed
    if op.opname == "COPY" and op.arg == 1 and following and following[0][0] == "LOAD_ATTR":
        return 1  # an attribute is read to be changed
    return None


def _producer(heights: list[int], position: int, level: int) -> int | None:
    """The last instruction before a position that put something onto this level of the stack."""
    return next((k for k in range(position - 1, -1, -1) if heights[k] <= level < heights[k + 1]), None)


def _instructions(code: CodeType) -> list[dis.Instruction]:
    return [op for op in dis.get_instructions(code) if op.opname not in ("CACHE", "EXTENDED_ARG")]


def _heights(code: CodeType) -> list[int]:
    """The height of the stack before each instruction, as if none jumped."""
    heights = [0]
    for op in _instructions(code):
        heights.append(heights[-1] + dis.stack_effect(op.opcode, op.arg, jump=False))
    return heights


def _inside(code: CodeType) -> list[CodeType]:
    return [const for const in code.co_consts if isinstance(const, CodeType)]
