"""The chart, rendered by Helm's own engine and read back as objects; no cluster is needed."""

from collections.abc import Iterator
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any, Final, NamedTuple

import yaml
from helm_python import Chart

REPO: Final = Path(__file__).resolve().parents[2]
CHART: Final = REPO / "helm" / "socle"
EXAMPLES: Final = ("production", "small", "training")
"""The value files shipped with the chart: between them, every branch of its templates."""

Object = dict[str, Any]
Values = dict[str, Any]


class Pod(NamedTuple):
    """One pod template of the release and the component it belongs to."""

    component: str
    owner: Object
    labels: dict[str, str]
    spec: dict[str, Any]

    @property
    def container(self) -> dict[str, Any]:
        """Its only container."""
        (only,) = self.spec["containers"]
        return only


@cache
def chart() -> Chart:
    """The chart, loaded once."""
    return Chart.load(CHART)


def example(name: str, **changes: Any) -> Values:
    """The values of an example, with `changes` merged in key by key."""
    values = yaml.safe_load((CHART / "examples" / f"{name}.yaml").read_text(encoding="utf-8"))
    return _merge(values, changes)


def _merge(values: Values, changes: Values) -> Values:
    merged = deepcopy(values)
    for key, value in changes.items():
        deeper = isinstance(value, dict) and isinstance(merged.get(key), dict)
        merged[key] = _merge(merged[key], value) if deeper else value
    return merged


def texts(values: Values) -> dict[str, str]:
    """What Helm writes, by template. Raises helm_python.HelmError when it refuses the values."""
    return chart().render(values, name="socle", namespace="syndicat")


def objects(values: Values) -> list[Object]:
    """The Kubernetes objects of a release with these values."""
    return [
        found
        for name, text in texts(values).items()
        if name.endswith(".yaml")
        for found in yaml.safe_load_all(text)
        if found
    ]


@cache
def release(name: str) -> tuple[Object, ...]:
    """The objects of an example; not to be changed."""
    return tuple(objects(example(name)))


def pods(name: str) -> list[Pod]:
    """Every pod template of an example."""
    return list(_pods(release(name)))


def pod(name: str, component: str) -> Pod:
    """The pod template of one component."""
    (found,) = (each for each in pods(name) if each.component == component)
    return found


def _pods(found: tuple[Object, ...]) -> Iterator[Pod]:
    for owner in found:
        template = owner.get("spec", {}).get("template")
        if template:
            labels = template["metadata"]["labels"]
            component = labels["app.kubernetes.io/component"]
            yield Pod(component, owner, labels, template["spec"])


def kind(found: list[Object] | tuple[Object, ...], wanted: str) -> list[Object]:
    """The objects of one kind."""
    return [each for each in found if each["kind"] == wanted]


def one(found: list[Object] | tuple[Object, ...], wanted: str, name: str) -> Object:
    """The object of this kind and name."""
    (only,) = (each for each in kind(found, wanted) if each["metadata"]["name"] == name)
    return only


def selects(selector: dict[str, Any], labels: dict[str, str]) -> bool:
    """Whether a matchLabels selector picks these labels; an empty one picks everything."""
    assert set(selector) <= {"matchLabels"}
    return selector.get("matchLabels", {}).items() <= labels.items()
