"""The script that writes the reference pages, as a module: it knows every route, failure and command."""

from __future__ import annotations

from functools import cache
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).parents[1]


@cache
def reference() -> ModuleType:
    """The module, loaded once."""
    loader = SourceFileLoader("reference_script", str(ROOT / "scripts" / "reference"))
    spec = spec_from_loader(loader.name, loader)
    assert spec is not None
    module = module_from_spec(spec)
    loader.exec_module(module)
    return module
