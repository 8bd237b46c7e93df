"""Holds the house: floors, sizes, names and the places where things may be done, read from syntax trees alone."""

import ast
import tokenize
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "skauto"
TREES = {path.relative_to(PACKAGE): ast.parse(path.read_text()) for path in sorted(PACKAGE.rglob("*.py"))}
FILES = {".".join(("skauto", *p.with_suffix("").parts)): p for p in TREES if p.name != "__init__.py"}

PILLARS = ("resample", "estimators", "search")
FLOORS = {
    0: "inputs _sklearn _seeds _deps _datasets _files _kernel_folders _native _telling _time_left _version",
    1: " ".join(PILLARS),
    3: "automl _compress _persistence",
    4: "_cli __main__",
}
FLOOR_OF = {name: floor for floor, names in FLOORS.items() for name in names.split()}
STRAY = {"util", "utils", "helper", "helpers", "common", "core", "manager", "handler", "engine", "misc", "tools"}
HEAVY = {"torch", "skorch", "lightgbm", "skopt", "matplotlib"}
BLOCKS = (ast.If, ast.For, ast.While, ast.With, ast.Try, ast.Match)
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
# Files whose duty is to be run by another one's test, and that one.
TESTED_WITH = {
    "automl/evaluation/_measurements.py": "tests/automl/evaluation/test_constraints.py",
    "automl/_make_plan.py": "tests/automl/test_plan.py",
    "automl/tables/_preparation.py": "tests/automl/tables/test_learners.py",
    "automl/evaluation/_context.py": "tests/automl/evaluation/test_evaluate.py",
    "automl/evaluation/_read_constraints.py": "tests/automl/evaluation/test_constraints.py",
    "automl/evaluation/_ranking.py": "tests/automl/evaluation/test_scoring.py",
    "inputs/_data.py": "tests/inputs/test_read.py",
    "inputs/_rows.py": "tests/inputs/test_read.py",
    "automl/_classifier.py": "tests/automl/test_auto_inputs.py",
    "automl/_select_candidates.py": "tests/automl/test_plan.py",
    "automl/_data_profile.py": "tests/automl/test_plan.py",
    "automl/_matrix_learners.py": "tests/automl/tables/test_learners.py",
    "automl/_epoch_planning.py": "tests/automl/sequences/test_learners.py",
    "automl/images/_epoch_planning.py": "tests/automl/images/test_learners.py",
    "inputs/_rank.py": "tests/automl/test_kind.py",
    "automl/_reading.py": "tests/automl/test_auto_inputs.py",
    "automl/_search_step.py": "tests/automl/test_auto_count_mode.py",
    "automl/_resuming.py": "tests/automl/test_runtime.py",
    "automl/evaluation/_metrics.py": "tests/automl/evaluation/test_scoring.py",
    "automl/evaluation/_out_of_fold.py": "tests/automl/evaluation/test_estimator_scoring.py",
    "automl/_settings.py": "tests/automl/test_auto_inputs.py",
    "automl/_students.py": "tests/automl/test_distill.py",
    "automl/_check_candidate.py": "tests/automl/test_candidate.py",
    "automl/_check_builtin.py": "tests/automl/test_candidate.py",
    "automl/_answers.py": "tests/automl/test_auto_inputs.py",
    "automl/_builder.py": "tests/automl/test_plan.py",
    "automl/_search_space.py": "tests/automl/tables/test_candidates.py",
    **{
        f"automl/selection/_{stage}.py": "tests/automl/selection/test_decide.py"
        for stage in ["finishing", "shortlist", "models", "enforce", "final_model", "fallback", "refit", "interrupts"]
    },
    "automl/evaluation/_fold_models.py": "tests/automl/selection/test_rescue.py",
    "search/_worker_process.py": "tests/search/test_workers.py",
    "search/_fork_server.py": "tests/search/test_servers.py",
    "search/_processes.py": "tests/search/test_servers.py",
    "search/_remote.py": "tests/search/test_executor_pool.py",
    "search/_pool.py": "tests/search/test_pools.py",
    "search/_inner_fits.py": "tests/faults/test_trained_as_reported.py",
    "search/_scorers.py": "tests/faults/test_scores_and_labels.py",
}
# What SearchCV is made of.
SEARCH_PARTS = "callbacks fold_scores rescore rungs search_run table"
TESTED_WITH |= {f"search/_{part}.py": "tests/search/test_search_cv.py" for part in SEARCH_PARTS.split()}
# What samplers are made of is tested through the contract that each of them must pass.
SAMPLER_PARTS = (
    "combined near_miss neighbours random_samplers rows sampler exact_neighbours smote_variants tables targets wrapped"
)
TESTED_WITH |= {f"resample/_{part}.py": "tests/resample/test_samplers.py" for part in SAMPLER_PARTS.split()}
# How each kind is told from others is tested with them.
TESTED_WITH |= {str(path): "tests/automl/test_kind.py" for path in TREES if path.match("automl/*/_kind.py")}


def part(path):
    """The floor's entry a file belongs to: its pillar, or its own name."""
    return path.parts[0].removesuffix(".py")


def faces_and_files(path):
    """What a file imports of skauto: names taken from a package face, and files."""
    faces, files = [], set()
    for node in ast.walk(TREES[path]):
        targets = [(alias.name, "") for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom):
            targets = [(node.module or "", alias.name) for alias in node.names]
        for module, name in targets:
            found = FILES.get(f"{module}.{name}", FILES.get(module))
            if found:
                files.add(found)
            elif module.split(".")[0] == "skauto":
                faces.append(f"{path}: {name} from {module}")
    return faces, files


def functions():
    """Every function with its file."""
    return [(p, node) for p, tree in TREES.items() for node in ast.walk(tree) if isinstance(node, FUNCTIONS)]


def body_lines(node):
    """Lines of a function without its docstring."""
    body = node.body[bool(ast.get_docstring(node)) :]
    return body[-1].end_lineno - body[0].lineno + 1 if body else 0


def depth(node, level=0):
    """Levels of blocks within blocks; an elif is no deeper than its if, a function inside starts anew."""
    deepest = level
    for child in ast.iter_child_nodes(node):
        if isinstance(child, (*FUNCTIONS, ast.ClassDef)):
            continue
        is_elif = isinstance(node, ast.If) and isinstance(child, ast.If) and node.orelse == [child]
        deepest = max(deepest, depth(child, level + (isinstance(child, BLOCKS) and not is_elif)))
    return deepest


def test_every_file_has_a_floor():
    assert [str(p) for p in TREES if p.name != "__init__.py" and part(p) not in FLOOR_OF] == []


def test_imports_run_straight_down():
    faults = []
    for path in (p for p in TREES if p != Path("__init__.py")):
        for target in faces_and_files(path)[1]:
            here, there = FLOOR_OF[part(path)], FLOOR_OF[part(target)]
            if there > here or (here == there == 1 and part(path) != part(target)):
                faults.append(f"{path} (floor {here}) imports {target} (floor {there})")
    assert faults == []


# Rooms inside automl/, from the lowest to the highest: a file imports from its own floor or from lower ones. The room
# of a kind imports no other kind.
KIND_ROOMS = sorted(path.parts[1] for path in TREES if path.match("automl/*/_kind.py"))
AUTOML_FLOORS = {
    0: "_types _kind _data_profile _imbalance _candidate _check_candidate _check_builtin _matrix_learners "
    "_epoch_planning _costs_by_row _splits",
    1: " ".join(KIND_ROOMS),
    2: "evaluation _builder _sizing _time_budget _progress _select_candidates",
    3: "_settings _search_space _networks_tried _plan _make_plan _reading _resuming",
    4: "selection",
    5: "_leaderboard _outscored _runtime _distill _students",
    6: "_search_step _answers _deciding _holding_out _keeping _score_report",
    7: "_classifier",
}
AUTOML_FLOOR_OF = {name: floor for floor, names in AUTOML_FLOORS.items() for name in names.split()}


def room(path):
    """The room of a file of automl, or its own name."""
    return path.parts[1].removesuffix(".py")


def test_imports_run_downward_inside_automl():
    faults = []
    for path in (p for p in TREES if p.parts[0] == "automl" and p.name != "__init__.py"):
        for target in (t for t in faces_and_files(path)[1] if t.parts[0] == "automl"):
            here, there = room(path), room(target)
            unknown = {here, there} - set(AUTOML_FLOOR_OF)
            assert not unknown, f"AUTOML_FLOORS has no floor for {unknown}"
            up = AUTOML_FLOOR_OF[there] > AUTOML_FLOOR_OF[here]
            apart = here != there and {here, there} <= set(KIND_ROOMS)
            faults += [f"{path} imports {target}"] if up or apart else []
    assert faults == []


def test_nothing_in_automl_is_handed_the_classifier():
    """What lies below it is given values: settings, data, a plan."""
    takers = [
        f"{path}: {node.name}"
        for path, node in functions()
        if path.parts[0] == "automl" and {"auto", "classifier_", "model_"} & {arg.arg for arg in node.args.args}
    ]
    assert takers == []


# Branches in 100 lines of code of automl: what a reader must keep in mind at once. It may only fall.
MOST_BRANCHES = 16
BRANCHES = (ast.If, ast.For, ast.While, ast.Try, ast.With, ast.comprehension, ast.BoolOp, ast.IfExp, ast.Match)
NO_CODE = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}


def test_code_of_automl_is_not_dense():
    lines = branches = 0
    for path, tree in TREES.items():
        if path.parts[0] == "automl":
            lines += len(code_lines(path, tree))
            branches += sum(isinstance(node, BRANCHES) for node in ast.walk(tree))
    assert 100 * branches / lines < MOST_BRANCHES


def code_lines(path, tree):
    """Numbers of the lines with code: blank lines, comments and docstrings are none."""
    with tokenize.open(PACKAGE / path) as file:
        lines = {token.start[0] for token in tokenize.generate_tokens(file.readline) if token.type not in NO_CODE}
    for node in ast.walk(tree):
        if isinstance(node, (ast.Module, ast.ClassDef, *FUNCTIONS)) and ast.get_docstring(node) is not None:
            lines -= set(range(node.body[0].lineno, node.body[0].end_lineno + 1))
    return lines


def test_names_come_from_the_file_that_defines_them():
    assert [fault for path in TREES for fault in faces_and_files(path)[0]] == []


def test_no_import_cycles():
    graph = {path: faces_and_files(path)[1] for path in TREES}

    def reachable(path, seen):
        for target in graph[path] - seen:
            seen.add(target)
            reachable(target, seen)
        return seen

    assert [str(path) for path in graph if path in reachable(path, set())] == []


def test_sizes():
    most = {p: 300 if p.parts[0] == "automl" else 400 for p in TREES}
    faults = [f"{p}: {n} lines" for p in TREES if (n := (PACKAGE / p).read_text().count("\n")) > most[p]]
    lengths = {f"{p}: {f.name}": body_lines(f) for p, f in functions()}
    faults += [f"{name} has {n} lines" for name, n in lengths.items() if n > 60]
    faults += [f"{p}: {f.name} nests {depth(f)} deep" for p, f in functions() if depth(f) > 3]
    long = [name for name, n in lengths.items() if n > 40]
    assert faults == []
    assert len(long) <= 0.02 * len(lengths), long


def test_what_other_files_may_use_has_types():
    """mypy asks for the types of all else, but for helpers in files of `resample`, `estimators` and at the root."""
    faults = []
    for path, tree in TREES.items():
        for owner in (tree, *(node for node in ast.walk(tree) if isinstance(node, ast.ClassDef))):
            for function in (node for node in owner.body if isinstance(node, FUNCTIONS)):
                if not function.name.startswith("_") or function.name in ("__init__", "__call__"):
                    faults += [f"{path}: {function.name}: {name}" for name in untyped(function)]
    assert faults == []


def untyped(function):
    """Arguments of a function that have no type, and "return" where it does not say what it returns."""
    given = function.args
    named = [*given.posonlyargs, *given.args, *given.kwonlyargs, given.vararg, given.kwarg]
    bare = [arg.arg for arg in named if arg is not None and arg.annotation is None and arg.arg not in ("self", "cls")]
    return bare + ["return"] * (function.returns is None)


def test_tests_mirror_modules():
    own = [p for p, tree in TREES.items() if p.stem not in ("__init__", "__main__", "_version") and functions_of(tree)]
    mirror = {p: TESTED_WITH.get(str(p), f"tests/{p.parent}/test{p.stem}.py".replace("/./", "/")) for p in own}
    assert [f"{p} lacks {test}" for p, test in mirror.items() if not (ROOT / test).is_file()] == []


def functions_of(tree):
    """Whether a file has any function: plain data needs no test of its own."""
    return any(isinstance(node, FUNCTIONS) for node in ast.walk(tree))


def test_first_line_says_the_duty():
    faults = [str(p) for p, tree in TREES.items() if not (ast.get_docstring(tree) and tree.body[0].lineno == 1)]
    assert faults == []


@pytest.mark.parametrize("base", [PACKAGE, ROOT / "tests", ROOT / "benchmarks"], ids=lambda p: p.name)
def test_names_say_what_is_inside(base):
    files = [p.relative_to(ROOT) for p in base.rglob("*.py")]
    assert [str(p) for p in files if STRAY & {word for piece in p.parts for word in Path(piece).stem.split("_")}] == []


def test_only_the_sandbox_catches_everything():
    broad = {"Exception", "BaseException"}
    faults = []
    for path, tree in TREES.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.ExceptHandler):
                names = {n.id for n in ast.walk(node.type) if isinstance(n, ast.Name)} if node.type else broad
                if names & broad and path != Path("search/_sandbox.py"):
                    faults.append(f"{path}:{node.lineno}")
    assert faults == []


def test_one_door_to_the_private_parts_of_scikit_learn():
    faults = []
    for path, tree in TREES.items():
        for node in ast.walk(tree):
            modules = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            modules += [f"{node.module}.{a.name}" for a in node.names] if modules else []
            modules += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            private = [m for m in modules if m.startswith("sklearn.") and any(w[0] == "_" for w in m.split(".") if w)]
            if private and path != Path("_sklearn.py"):
                faults.append(f"{path}:{node.lineno} {private[0]}")
    assert faults == []


def test_importing_is_all_that_an_import_does():
    faults = []
    for path, tree in TREES.items():
        for node in tree.body:
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            names += [node.module] if isinstance(node, ast.ImportFrom) else []
            heavy = {name.split(".")[0] for name in names} & HEAVY
            if heavy - ({"torch", "skorch"} if part(path) == "estimators" else set()):
                faults.append(f"{path}:{node.lineno} loads {', '.join(heavy)}")
            if isinstance(node, (ast.For, ast.While, ast.With)) or (
                isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)
            ):
                faults.append(f"{path}:{node.lineno} works at import")
            loaded = required(node) - ({"torch", "skorch"} if part(path) == "estimators" else set())
            if loaded:
                faults.append(f"{path}:{node.lineno} loads {', '.join(loaded)}")
    assert faults == []


def required(node):
    """Packages that a statement of a module loads by `name = require(...)`."""
    value = getattr(node, "value", None)
    if isinstance(node, ast.Assign) and isinstance(value, ast.Call) and getattr(value.func, "id", "") == "require":
        return {value.args[0].value.split(".")[0]}
    return set()


def test_nothing_prints():
    calls = [(p, node) for p, tree in TREES.items() for node in ast.walk(tree) if isinstance(node, ast.Call)]
    assert [f"{p}:{c.lineno}" for p, c in calls if isinstance(c.func, ast.Name) and c.func.id == "print"] == []
