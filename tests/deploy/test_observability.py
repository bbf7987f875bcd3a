"""Alerts and dashboard ask for metrics and labels that exist, and every metric of ours is looked at."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from prometheus_client import Counter, Gauge, Histogram
from prometheus_client.metrics import MetricWrapperBase

from common import metrics
from tests.deploy.images import ROOT

ALERTS: dict[str, Any] = yaml.safe_load((ROOT / "deploy/prometheus/alerts.yaml").read_text(encoding="utf-8"))
RULES = [rule for group in ALERTS["groups"] for rule in group["rules"]]
DASHBOARD: dict[str, Any] = json.loads((ROOT / "deploy/grafana/pyloto.json").read_text(encoding="utf-8"))
RUNBOOK = (ROOT / "docs/operating.md").read_text(encoding="utf-8")

# A metric with its selector, if any.
USE = re.compile(r"\b(pyloto_\w+)(?:\{([^}]*)\})?")
BY = re.compile(r"\b(?:by|on) \(([\w, ]+)\)")
LABEL = re.compile(r"(\w+)\s*(?:=~|!~|!=|=)\s*\"")
OF_THE_SCRAPE = {"le", "instance", "job", "queue"}


def series() -> Iterator[tuple[str, frozenset[str]]]:
    """Every series that a metric of ours gives, with its labels."""
    for metric in vars(metrics).values():
        if not isinstance(metric, MetricWrapperBase):
            continue
        name, labels = metric._name, frozenset(metric._labelnames)
        if isinstance(metric, Counter):
            yield f"{name}_total", labels
        elif isinstance(metric, Histogram):
            yield from ((f"{name}_{part}", labels) for part in ("bucket", "count", "sum"))
        else:
            assert isinstance(metric, Gauge)
            yield name, labels


SERIES = dict(series())
EXPRESSIONS = [(rule["alert"], rule["expr"]) for rule in RULES] + [
    (panel["title"], target["expr"]) for panel in DASHBOARD["panels"] for target in panel["targets"]
]


@pytest.mark.parametrize(("where", "expression"), EXPRESSIONS)
def test_every_metric_that_is_asked_for_exists_with_its_labels(where: str, expression: str) -> None:
    """A misspelt one would be silent for ever."""
    used = USE.findall(expression)

    assert used or "rabbitmq_" in expression or "up{job=" in expression, where
    for name, selector in used:
        assert name in SERIES, f"{where}: {name}"
        assert set(LABEL.findall(selector)) <= SERIES[name], f"{where}: {name}"
    known = {label for name, _ in used for label in SERIES[name]} | OF_THE_SCRAPE
    grouped = {label.strip() for labels in BY.findall(expression) for label in labels.split(",")}
    assert grouped <= known, where


def test_every_metric_is_on_the_dashboard() -> None:
    """What is measured can be seen."""
    shown = {name for _, expression in EXPRESSIONS for name, _ in USE.findall(expression)}

    unseen = {name.removesuffix("_bucket") for name in SERIES if name.endswith("_bucket") and name not in shown}
    unseen |= {name for name in SERIES if not name.endswith(("_bucket", "_count", "_sum")) and name not in shown}
    assert unseen == set()


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_every_alert_says_what_it_means_and_what_to_do(rule: dict[str, Any]) -> None:
    """Its runbook is a section of docs/operating.md."""
    anchor = f"docs/operating.md#{rule['alert'].lower()}"

    assert rule["annotations"]["runbook"] == anchor
    assert f"\n#### {rule['alert']}\n" in RUNBOOK
    assert rule["labels"]["severity"] in {"page", "ticket"}


def test_panels_do_not_overlap() -> None:
    """Each has its place."""
    cells = [
        (x, y)
        for panel in DASHBOARD["panels"]
        for x in range(panel["gridPos"]["x"], panel["gridPos"]["x"] + panel["gridPos"]["w"])
        for y in range(panel["gridPos"]["y"], panel["gridPos"]["y"] + panel["gridPos"]["h"])
    ]

    assert len(cells) == len(set(cells))
    assert max(x for x, _ in cells) < 24


def test_prometheus_asks_where_the_services_answer() -> None:
    """Every service of docker-compose.yml, at the port that it is told to measure on."""
    configuration = yaml.safe_load((ROOT / "deploy/prometheus/prometheus.yaml").read_text(encoding="utf-8"))
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))["services"]
    found = {job["job_name"]: job["dns_sd_configs"][0] for job in configuration["scrape_configs"] if "dns_sd_configs" in job}

    measured = {name for name, service in compose.items() if "METRICS_LISTEN" in service.get("environment", {})}
    assert {name: [name] for name in measured} == {job: where["names"] for job, where in found.items()}
    [port] = {where["port"] for where in found.values()}
    assert {compose[name]["environment"]["METRICS_LISTEN"] for name in measured} == {f"0.0.0.0:{port}"}


def test_a_part_that_is_gone_raises_an_alert() -> None:
    """By the names of the jobs that are scraped."""
    configuration = yaml.safe_load((ROOT / "deploy/prometheus/prometheus.yaml").read_text(encoding="utf-8"))
    expression = next(rule["expr"] for rule in RULES if rule["alert"] == "PartAway")

    assert {f'absent(up{{job="{job["job_name"]}"}} == 1)' for job in configuration["scrape_configs"]} == set(
        re.findall(r"absent\([^)]*\)", expression)
    )
