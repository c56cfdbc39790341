"""Prometheus' own checker, and what it is fed: alert rules and planted series."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from typing import TYPE_CHECKING, Any, Final

import pytest
from ruamel.yaml import YAML

from tests.architecture.checkout import ROOT

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

ALERTS: Final = ROOT / "docker/prometheus/alerts.yaml"
DASHBOARD: Final = ROOT / "docker/grafana/sii-cds.json"
_SELECTOR: Final = re.compile(r"\b(sii_cds_\w+)(?:\{([^}]*)\})?")
_MATCHER: Final = re.compile(r"(\w+)\s*(?:=~|!~|!=|=)")
_GROUPED: Final = re.compile(r"\b(?:by|on)\s*\(([^)]*)\)")


def promtool(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run it; without it the test is skipped, or fails where CI=true."""
    path = shutil.which("promtool")
    if path is None:
        lacking = "no promtool on the PATH (Debian: prometheus)"
        if os.environ.get("CI") == "true":
            pytest.fail(f"{lacking}; CI=true makes these tests required")
        pytest.skip(lacking)
    return subprocess.run([path, *arguments], capture_output=True, text=True, check=False)


def alerts() -> dict[str, dict[str, Any]]:
    """Return the rules by name."""
    groups = YAML(typ="safe").load(ALERTS.read_text(encoding="utf-8"))["groups"]
    return {rule["alert"]: rule for group in groups for rule in group["rules"]}


def dashboard_expressions() -> list[str]:
    """Return what the dashboard asks Prometheus: panels, variables and marks."""
    dashboard = json.loads(DASHBOARD.read_text(encoding="utf-8"))
    panels = [target["expr"] for panel in dashboard["panels"] for target in panel.get("targets", ())]
    variables = [v["definition"] for v in dashboard["templating"]["list"] if "definition" in v]
    return [*panels, *variables, *(mark["expr"] for mark in dashboard["annotations"]["list"])]


def used_metrics(expression: str) -> dict[str, set[str]]:
    """Return the metrics of an expression, each with the labels it is asked for or grouped by."""
    grouped = {label.strip() for found in _GROUPED.findall(expression) for label in found.split(",")}
    used: dict[str, set[str]] = {}
    for name, matchers in _SELECTOR.findall(expression):
        used.setdefault(name, set()).update(_MATCHER.findall(matchers or ""), grouped)
    variable = re.search(r"label_values\((\w+), (\w+)\)", expression)
    if variable:
        used[variable[1]].add(variable[2])
    return used


def firing(folder: Path, series: Mapping[str, str], at: str, interval: str = "1m") -> set[str]:
    """Return the alerts that fire at a time after these series began, with one sample in each interval."""
    # An expectation that cannot be met makes promtool print what it found.
    impossible = {"labels": '{alertname="impossible"}', "value": 1}
    expression = 'count by (alertname) (ALERTS{alertstate="firing"})'
    test = {
        "interval": interval,
        "input_series": [{"series": name, "values": values} for name, values in series.items()],
        "promql_expr_test": [{"expr": expression, "eval_time": at, "exp_samples": [impossible]}],
    }
    file = folder / "test.yaml"
    content = {"rule_files": [str(ALERTS)], "evaluation_interval": interval, "tests": [test]}
    file.write_text(json.dumps(content), encoding="utf-8")
    done = promtool("test", "rules", file)
    printed = done.stdout + done.stderr
    assert "got:" in printed, printed
    return set(re.findall(r'alertname="(\w+)"', printed.partition("got:")[2]))
