"""What one `OpenAIModel.ask` costs in CPU, against a simulator in a process of its own.

python -m bench.model_cost --calls 5000 --in-flight 100
"""

import argparse
import asyncio
import json
import re
import resource
import subprocess
import sys
import time

import psutil
from pydantic import BaseModel, Field

from common.deadline import Deadline
from common.model import ModelSettings, OpenAIModel, Task
from common.taxonomy import Category, State, Vertente


class Proposal(BaseModel):
    """As large as the FSM service's answer type."""

    decision: State
    vertente: Vertente
    category: Category
    intent: str = Field(max_length=64)
    confidence: float = Field(ge=0, le=1)
    reasoning: str = Field(max_length=600)
    escalate: bool


TASK = Task(name="fsm", answer_type=Proposal, model="gpt-5.4-mini", prompt_version="bench", max_output_tokens=400)
PREFIX = "Contexto da Pyloto, com acentuação e tudo. " * 500
HINT = json.dumps(
    {
        "hint": {
            "decision": "PROCESSING",
            "vertente": "ENTREGA",
            "category": "ENTREGAS",
            "intent": "pedido",
            "confidence": 0.9,
            "reasoning": "palavras do cliente",
            "escalate": False,
        }
    }
)


def _cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


async def _measure(base_url: str, calls: int, in_flight: int) -> tuple[float, float]:
    """CPU seconds of this process and wall seconds of `calls` calls."""
    settings = ModelSettings.model_validate({"llm_base_url": base_url, "llm_max_concurrency": in_flight})
    model = OpenAIModel(settings)
    left = iter(range(calls))

    async def worker() -> None:
        for number in left:
            await model.ask(TASK, prefix=PREFIX, user=f"{number} {HINT}", deadline=Deadline.after(60))

    try:
        await asyncio.gather(*(worker() for _ in range(in_flight)))  # connections and caches are warm after this
        left = iter(range(calls))
        cpu_s, wall_s = _cpu_s(), time.perf_counter()
        await asyncio.gather(*(worker() for _ in range(in_flight)))
        return _cpu_s() - cpu_s, time.perf_counter() - wall_s
    finally:
        await model.close()


def main() -> None:
    """Print one line: CPU per call of the client and of the simulator, and the rate."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=int, default=5000, help="measured calls, after as many to warm up")
    parser.add_argument("--in-flight", type=int, default=100, help="calls at the same time")
    parser.add_argument("--delay-ms", type=float, default=20.0, help="the simulator's delay per call")
    arguments = parser.parse_args()
    command = [sys.executable, "-m", "simulator", "--port", "0", "--delay-ms", str(arguments.delay_ms)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as simulator:
        try:
            assert simulator.stdout is not None
            listening = re.search(r"http\S+/v1", simulator.stdout.readline())
            assert listening is not None, "the simulator did not start"
            cpu_s, wall_s = asyncio.run(_measure(listening[0], arguments.calls, arguments.in_flight))
            used = psutil.Process(simulator.pid).cpu_times()
        finally:
            simulator.terminate()
    calls = arguments.calls
    print(
        f"ask: {cpu_s / calls * 1000:.2f} ms CPU/call, simulator: {(used.user + used.system) / (2 * calls) * 1000:.2f} "
        f"ms CPU/call (start included), {calls / wall_s:.0f} calls/s with {arguments.in_flight} in flight, "
        f"prompt {(len(PREFIX) + len(HINT)) / 1024:.0f} KiB"
    )


if __name__ == "__main__":
    main()
