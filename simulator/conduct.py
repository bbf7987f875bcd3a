"""Decides how each call goes: its script, its fault and its delay, from seeded generators, so that runs repeat."""

import math
import random
from collections import Counter
from dataclasses import dataclass

from pydantic import JsonValue

from simulator.config import Behaviour, Delay, Fault, Script, SimulatorConfig

_NO_SCRIPT = Script()


@dataclass(frozen=True, slots=True)
class Conduct:
    """How one call goes."""

    delay_s: float
    fault: Fault | None
    answer: JsonValue
    """What a script says word for word; None for a generated answer."""
    overlay: dict[str, JsonValue]
    """Fields that replace generated ones."""
    retry_after_ms: int


class Director:
    """Holds the draws of one configuration: one generator per task and purpose, so that tasks do not disturb one another."""

    def __init__(self, config: SimulatorConfig) -> None:
        self._config = config
        self._faults = _Generators(config.seed, "fault")
        self._delays = _Generators(config.seed, "delay")
        self._used = [0] * len(config.scripts)
        self._varied: Counter[str] = Counter()

    def conduct(self, task: str, last_user_message: str) -> Conduct:
        """The conduct of the next call of this task."""
        behaviour = self._config.behaviour(task)
        script = self._script(task, last_user_message)
        drawn = self._drawn_fault(task, behaviour)
        scripted = script is not _NO_SCRIPT
        fault = script.fault if scripted else drawn
        return Conduct(
            delay_s=self._delay_s(task, script.delay or behaviour.delay),
            fault=fault,
            answer=script.answer,
            overlay=script.overlay or (behaviour.overlay if fault is Fault.OVERLAY else self._variety(task, behaviour)),
            retry_after_ms=behaviour.retry_after_ms,
        )

    def _script(self, task: str, last_user_message: str) -> Script:
        for number, script in enumerate(self._config.scripts):
            used_up = script.times is not None and self._used[number] >= script.times
            if not used_up and (script.match == task or script.match in last_user_message):
                self._used[number] += 1
                return script
        return _NO_SCRIPT

    def _drawn_fault(self, task: str, behaviour: Behaviour) -> Fault | None:
        if not behaviour.rates:
            return None
        draw = self._faults[task].random()
        for fault, rate in behaviour.rates.items():
            draw -= rate
            if draw < 0:
                return fault
        return None

    def _variety(self, task: str, behaviour: Behaviour) -> dict[str, JsonValue]:
        if not behaviour.variety:
            return {}
        self._varied[task] += 1
        return behaviour.variety[(self._varied[task] - 1) % len(behaviour.variety)]

    def _delay_s(self, task: str, delay: Delay) -> float:
        if not delay.sigma:
            return delay.median_ms / 1000
        return delay.median_ms / 1000 * math.exp(self._delays[task].gauss(0.0, delay.sigma))


class _Generators(dict[str, random.Random]):
    def __init__(self, seed: int, purpose: str) -> None:
        super().__init__()
        self._seed = f"{seed}:{purpose}"

    def __missing__(self, task: str) -> random.Random:
        self[task] = generator = random.Random(f"{self._seed}:{task}")
        return generator
