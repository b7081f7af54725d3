#!/usr/bin/env python3
"""Writes fixtures/api/ from the installed official Python SDK: what the API has, as data.

    python3 -m venv sdk && sdk/bin/pip install stripe==16.1.0
    sdk/bin/python tools/generate_catalog.py fixtures/api

Only names, kinds, enum members and limits are taken, never the SDK's text. The SDK is read as source (its
annotations are strings that refer to each other in circles), not imported. The grammar of the types
is described in fixtures/api/README.md.
"""

import ast
import importlib.util
import re
import sys
from dataclasses import dataclass, replace
from pathlib import Path

SCALARS = {"str": "s", "int": "i", "float": "f", "bool": "b", "Decimal": "d", "Any": "a", "object": "a"}
LISTS = {"List", "Sequence"}
MAPS = {"Dict", "Mapping", "UntypedStripeObject"}
PAGES = {"ListObject", "SearchResultObject"}
# Envelopes and the bases of the SDK's own making; the program knows them without a table.
ENVELOPES = {"list", "search_result", "v2.search_result"}
NAME = re.compile(r"[\w.]+")


@dataclass(frozen=True)
class Kind:
    """A type of the API: its text without suffixes, and what the suffixes say."""

    text: str
    null: bool = False
    required: bool = False
    clear: bool = False
    open: bool = False

    def render(self):
        flags = zip("+?!~", (self.open, self.null, self.required, self.clear))
        return self.text + "".join(mark for mark, on in flags if on)


def enum(members, is_open):
    words = ["true" if m is True else m for m in members if m != ""]
    assert all(isinstance(w, str) and w and not set(w) & set("|<>\t\n") for w in words), words
    return Kind("<" + "|".join(words) + ">", clear="" in members, open=is_open)


def unquoted(node):
    """The expression behind a quoted annotation."""
    while isinstance(node, ast.Constant) and isinstance(node.value, str):
        node = ast.parse(node.value, mode="eval").body
    return node


def last_name(node):
    return node.attr if isinstance(node, ast.Attribute) else node.id


def parts_of_union(node):
    node = unquoted(node)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
        return parts_of_union(node.left) + parts_of_union(node.right)
    if isinstance(node, ast.Subscript) and last_name(node.value) == "Union":
        return [part for element in node.slice.elts for part in parts_of_union(element)]
    return [node]


class Reader:
    """Reads annotations; `class_kind` says what a bare class name stands for, `object_name` what it is on the wire."""

    def __init__(self, class_kind, object_name=str):
        self.class_kind = class_kind
        self.object_name = object_name

    def read(self, node):
        parts = parts_of_union(node)
        return self.read_one(parts[0]) if len(parts) == 1 else self.read_union(parts)

    def read_union(self, parts):
        clear = null = False
        members, is_text, others = [], False, []
        for part in parts:
            if isinstance(part, ast.Subscript) and last_name(part.value) == "Literal":
                words = self.literals(part)
                clear |= "" in words
                members += [w for w in words if w != ""]
            elif isinstance(part, ast.Name) and part.id == "str":
                is_text = True
                others.append(Kind("s"))
            else:
                kind = self.read_one(part)
                null |= kind.null
                clear |= kind.clear
                if kind.text not in [o.text for o in others]:  # a plain dict and the SDK's own map are one
                    others.append(replace(kind, null=False, clear=False))
        if members:
            # `Literal[...] | str` is an enum to which members may be added.
            others = [enum(members, is_text)] + [o for o in others if not (is_text and o.text == "s")]
        first = others[0]
        if len(others) == 1:
            return replace(first, clear=clear, null=null)
        return Kind("/".join(o.render() for o in others), clear=clear, null=null)

    @staticmethod
    def literals(node):
        elements = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        return [e.value for e in elements]

    def read_one(self, node):
        node = unquoted(node)
        if not isinstance(node, ast.Subscript):
            name = last_name(node)
            if name == "UntypedStripeObject":
                return Kind("{a}")
            return Kind(SCALARS[name]) if name in SCALARS else self.class_kind(name)
        head, inner = last_name(node.value), node.slice
        if head == "Optional":
            return replace(self.read(inner), null=True)
        if head == "NotRequired":
            return self.read(inner)
        if head == "Required":
            return replace(self.read(inner), required=True)
        if head == "Literal":
            return enum(self.literals(node), False)
        if head in LISTS:
            return Kind("[" + self.read(inner).render() + "]")
        if head in MAPS:
            value = inner.elts[1] if isinstance(inner, ast.Tuple) else inner
            return Kind("{" + self.read(value).render() + "}")
        if head == "ExpandableField":
            return Kind("@" + self.targets(inner))
        if head in PAGES:
            return Kind("*" + self.targets(inner))
        return Kind("a")

    def targets(self, node):
        return "|".join(self.object_name(last_name(part)) for part in parts_of_union(node))


def fields_of(cls):
    for line in cls.body:
        if isinstance(line, ast.AnnAssign) and isinstance(line.target, ast.Name):
            yield line.target.id, line.annotation, line.value


def imported(tree):
    """{local name: (module, name there)}, of every `from X import Y` at any depth."""
    found = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            found |= {a.asname or a.name: (node.module, a.name) for a in node.names}
    return found


def may_be_left_out(annotation):
    return isinstance(annotation, ast.Subscript) and last_name(annotation.value) == "NotRequired"


def documented(body):
    """{field: the text below it}, of the fields of a class."""
    pairs = zip(body, body[1:])
    return {
        field.target.id: " ".join(text.value.value.split())
        for field, text in pairs
        if isinstance(field, ast.AnnAssign)
        and isinstance(text, ast.Expr)
        and isinstance(text.value, ast.Constant)
        and isinstance(text.value.value, str)
    }


# A sentence that names several lengths speaks of what becomes of the text, or of one kind of account or payment.
UNLIKE = re.compile(r"truncat|concatenat|combined|standard|destinations|transfers|`ach`|message extension|subscription` mode", re.I)
CHARACTERS = re.compile(
    r"(?:at most|up to|[Mm]ax(?:imum)?(?: length)?(?: of this field)?(?: is|,|:)?|limit the identifier to|[Ll]imited to) "
    r"\*?(\d[\d,]*) (?:alphanumeric )?characters"
)
PLACES = re.compile(r"at most (\d+) decimal places")
ITEMS = re.compile(r"(?:[Uu]p to|[Mm]aximum(?: of)?|at most) (?:a maximum of )?(\d+) ?(?!characters)")


def limit(kind, text):
    """What a description says of a value: `c22` characters, `n8` elements, `p12` decimal places."""
    forms = [("n", ITEMS)] if kind.text.startswith("[") else [("p", PLACES), ("c", CHARACTERS)]
    for sentence in re.split(r"(?<=[.:])\s", text):
        if UNLIKE.search(sentence):
            continue
        for mark, form in forms:
            if found := form.search(sentence):
                return mark + found.group(1).replace(",", "")
    return None


class Params:
    """Every parameter shape of the SDK, keyed by folder and class."""

    def __init__(self, root):
        self.shapes, self.limits = {}, {}
        for path in sorted((root / "params").glob("**/*.py")):
            self.read_file(path, path.relative_to(root / "params").parts[:-1])

        self.read_file(root / "v2" / "_amount.py", ("v2",))

    def read_file(self, path, folder):
        # The amount of the v2 API is the one shape that files share.
        key = lambda name: "v2.AmountParam" if name == "AmountParam" else ".".join((*folder, name))
        reader = Reader(lambda name: Kind("#" + key(name)))

        def field(annotation):
            kind = reader.read(annotation)
            return kind if may_be_left_out(annotation) else replace(kind, required=True)

        bases = {}  # shapes with reserved words as names are split into a call and a class that inherits from it
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call) and last_name(node.value.func) == "TypedDict":
                table = node.value.args[1]
                shape = {k.value: field(v) for k, v in zip(table.keys, table.values)}
                bases[node.targets[0].id] = shape
            elif isinstance(node, ast.ClassDef):
                shape = {}
                for base in node.bases:
                    shape |= bases.get(last_name(base), {})
                shape |= {name: field(annotation) for name, annotation, _ in fields_of(node)}
                self.shapes[key(node.name)] = shape
                said = {name: limit(shape[name], text) for name, text in documented(node.body).items() if name in shape}
                self.limits[key(node.name)] = {name: found for name, found in said.items() if found}

    def reachable(self, names):
        todo, seen = [n for n in names if n], set()
        while todo:
            name = todo.pop()
            if name in seen:
                continue
            seen.add(name)
            for kind in self.shapes[name].values():
                todo += [n for n in re.findall(r"#([\w.]+)", kind.text)]
        return {name: self.shapes[name] for name in sorted(seen)}


class Objects:
    """Every object of the SDK, keyed by the value of `object` on the wire."""

    def __init__(self, root):
        self.names, self.found, homes = {}, {}, []
        for path in sorted(root.glob("**/*.py")):
            if "params" in path.parts or path.name.endswith("_service.py"):
                continue
            module = ".".join(("stripe", *path.relative_to(root).with_suffix("").parts))
            tree = ast.parse(path.read_text())
            for cls in tree.body:
                if isinstance(cls, ast.ClassDef):
                    for name, _, value in fields_of(cls):
                        if name == "OBJECT_NAME" and isinstance(value, ast.Constant):
                            self.names[(module, cls.name)] = value.value
                            homes.append((module, imported(tree), cls, value.value))
        for module, known, cls, wire in homes:
            if wire in ENVELOPES:
                continue
            fields = self.fields(cls, lambda n: self.wire_name(module, known, n))
            if len(fields) > len(self.found.get(wire, {})):
                self.found[wire] = fields

    def wire_name(self, module, known, name):
        home = known.get(name, (module, name))
        return self.names.get(home, name)

    def fields(self, cls, object_name):
        inner = {c.name: c for c in cls.body if isinstance(c, ast.ClassDef)}

        def class_kind(name):
            if name not in inner:
                return Kind("&" + object_name(name))
            fields = self.fields(inner[name], object_name)
            return Kind("(" + ",".join(f"{n}={k.render()}" for n, k in fields.items()) + ")")

        reader = Reader(class_kind, object_name)
        return {
            name.removesuffix("_"): reader.read(annotation)
            for name, annotation, _ in fields_of(cls)
            if name != "OBJECT_NAME" and not name.startswith("_")
        }


def request_calls(function):
    for node in ast.walk(function):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "_request":
            yield node


def path_of(node):
    return node.func.value.value if isinstance(node, ast.Call) else node.value


def returned(annotation, object_name):
    """What an endpoint answers with: an object, `list:` or `search:` of one, several with bars, `-`."""
    node = unquoted(annotation)
    if isinstance(node, ast.Subscript) and last_name(node.value) in PAGES:
        prefix = "list:" if last_name(node.value) == "ListObject" else "search:"
        return prefix + "|".join(object_name(last_name(p)) for p in parts_of_union(node.slice))
    names = [object_name(last_name(p)) for p in parts_of_union(node) if isinstance(p, (ast.Name, ast.Attribute))]
    names = [n for n in names if n and n not in ENVELOPES]
    return "|".join(names) or "-"


def params_shape(function, known):
    for argument in function.args.args:
        if argument.arg == "params" and argument.annotation is not None:
            names = re.findall(r"\b\w+Params\b", ast.unparse(argument.annotation))
            if names and names[-1] in known:
                module, name = known[names[-1]]
                return ".".join((*module.split(".")[2:-1], name))
    return None


def read_endpoints(root, objects):
    found = {}
    for path in sorted(root.glob("**/*_service.py")):
        tree = ast.parse(path.read_text())
        known = imported(tree)
        object_name = lambda name: objects.names.get(known.get(name))
        functions = [f for c in tree.body if isinstance(c, ast.ClassDef) for f in c.body if isinstance(f, ast.FunctionDef)]
        for function in functions:
            for call in request_calls(function):
                key = (path_of(call.args[1]), call.args[0].value.upper())
                base = [k.value.value for k in call.keywords if k.arg == "base_address"]
                returns = returned(function.returns, object_name) if function.returns else "-"
                found.setdefault(key, (params_shape(function, known), returns, base[0] if base else "api"))
    return sorted(found.items())


def literals_of_field(path, field):
    """The longest list of words that a field of that name may take in a file."""
    best = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.AnnAssign) and getattr(node.target, "id", "") == field:
            text = ast.unparse(node.annotation).replace("\\'", "'").replace('"', "'")
            best = max(best, re.findall(r"'([\w.]+)'", text), key=len)
    return sorted(set(best))


def table(shapes):
    return ["\t".join([name, *(f"{f}={k.render()}" for f, k in fields.items())]) for name, fields in sorted(shapes.items())]


def limits(params, used):
    rows = ((name, params.limits.get(name)) for name in sorted(used))
    return ["\t".join([name, *(f"{field}={what}" for field, what in said.items())]) for name, said in rows if said]


def main():
    out = Path(sys.argv[1])
    root = Path(importlib.util.find_spec("stripe").origin).parent
    version = re.search(r'CURRENT = "([^"]+)"', (root / "_api_version.py").read_text()).group(1)
    params, objects = Params(root), Objects(root)
    endpoints = read_endpoints(root, objects)
    rows = []
    for (path, method), (shape, returns, base) in endpoints:
        rows.append("\t".join([method, path, shape or "-", returns, *([base] if base != "api" else [])]))
    used = params.reachable(shape for _, (shape, _, _) in endpoints)
    events = literals_of_field(root / "params" / "_webhook_endpoint_create_params.py", "enabled_events")
    # What a thin event may be of: the classes of the SDK, by their types.
    thin = re.findall(r'^    "(v\d\.[\w.\[\]]+)": \(', (root / "events" / "_event_classes.py").read_text(), re.M)
    files = {
        "version.txt": [version],
        "endpoints.tsv": rows,
        "params.tsv": table(used),
        "limits.tsv": limits(params, used),
        "objects.tsv": table(objects.found),
        "events.txt": events,
        "thin_events.txt": sorted(set(thin)),
        "error_codes.txt": literals_of_field(root / "_payment_intent.py", "code"),
    }
    for name, lines in files.items():
        (out / name).write_text("\n".join(lines) + "\n")
        print(f"{name}: {len(lines)} lines")


main()
