"""One message through everything that is real: answered once, in time, and traced from end to end."""

import orjson
import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind

from common.observability import SPAN_LLM, SPAN_PROCESS, SPAN_SEND
from simulator.config import Behaviour, Fault, SimulatorConfig
from tests.institution import shipped
from tests.integration.whole import whole

QUESTION = "vocês fazem entrega na zona sul?"
_exporter = InMemorySpanExporter()


@pytest.fixture(scope="module", autouse=True)
def _tracing() -> None:
    """OpenTelemetry takes one provider per process."""
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(_exporter))
    trace.set_tracer_provider(provider)


async def test_a_message_is_answered_by_the_three_tasks() -> None:
    """One LLM call each."""
    async with whole() as system:
        await system.send(QUESTION, message_id="m1")
        reply = orjson.loads((await system.reply()).body)

    assert reply["text"]
    assert reply["fallback"] is False
    assert {task: model.stats.calls for task, model in system.models.items()} == {"fsm": 1, "response": 1, "msgtype": 1}


async def test_a_message_that_is_published_again_gets_the_same_reply_id_and_no_new_call() -> None:
    """The simulators count."""
    async with whole() as system:
        await system.send(QUESTION, message_id="m1")
        first = orjson.loads((await system.reply()).body)
        calls = system.calls
        await system.send(QUESTION, message_id="m1")
        second = orjson.loads((await system.reply()).body)

    assert second["reply_id"] == first["reply_id"]
    assert system.calls == calls


async def test_when_every_model_hangs_the_promise_is_kept() -> None:
    """The canonical answer leaves within three seconds."""
    async with whole(SimulatorConfig(default=Behaviour(rates={Fault.HANG: 1.0}))) as system:
        await system.send(QUESTION, message_id="m1")
        reply = orjson.loads((await system.reply()).body)

    assert reply["fallback"] is True
    assert reply["text"] in {intent.answer for intent in shipped().intents.values()}


async def test_a_price_that_the_model_says_never_leaves() -> None:
    """Through the real response service and the real gateway."""
    config = SimulatorConfig(default=Behaviour(rates={Fault.OVERLAY: 1.0}, overlay={"text": "A entrega custa R$ 25,00."}))
    async with whole(config) as system:
        await system.send(QUESTION, message_id="m1")
        reply = await system.reply()

    assert b"25,00" not in reply.body


async def test_one_message_is_one_trace_from_the_adapter_to_the_reply() -> None:
    """process → client and server of each call → llm, and send; the reply carries the trace on."""
    trace_id, adapter = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
    async with whole() as system:
        _exporter.clear()
        await system.send(QUESTION, message_id="m1", headers={"traceparent": f"00-{trace_id}-{adapter}-01"})
        reply = await system.reply()

    spans = [span for span in _exporter.get_finished_spans() if f"{span.context.trace_id:032x}" == trace_id]
    by_id = {span.context.span_id: span for span in spans}
    edges = {(_parent(span, by_id), _label(span)) for span in spans}
    calls = ["DetermineState", "GenerateResponse", "SelectMessageType", "CompleteTurn"]
    assert edges == {
        ("adapter", SPAN_PROCESS),
        *((SPAN_PROCESS, f"{name} client") for name in calls),
        *((f"{name} client", f"{name} server") for name in calls),
        *((f"{name} server", SPAN_LLM) for name in calls[:3]),
        (SPAN_PROCESS, SPAN_SEND),
    }
    sent_by = {f"00-{trace_id}-{span.context.span_id:016x}-01" for span in spans if span.name == SPAN_SEND}
    assert reply.headers["traceparent"] in sent_by


def _label(span: ReadableSpan) -> str:
    kinds = {SpanKind.CLIENT: " client", SpanKind.SERVER: " server"}
    name = span.name.rpartition("/")[2]
    return name if span.name in {SPAN_LLM, SPAN_PROCESS, SPAN_SEND} else f"{name}{kinds.get(span.kind, '')}"


def _parent(span: ReadableSpan, by_id: dict[int, ReadableSpan]) -> str:
    assert span.parent is not None
    parent = by_id.get(span.parent.span_id)
    return _label(parent) if parent else "adapter"
