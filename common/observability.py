"""Logs, metrics and traces of one process, set up once at start."""

import logging
import sys
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import TextIO

import orjson
import structlog
from opentelemetry import propagate, trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
from opentelemetry.trace import Span, SpanKind
from structlog.typing import EventDict, WrappedLogger

from common import metrics
from common.masking import mask
from common.settings import Settings, misspelt

# Span names. A trace of one message: process → rpc (client → server) × 3 → llm, and send.
SPAN_PROCESS = "process pyloto.inbound"
SPAN_SEND = "send pyloto.outbound"
SPAN_LLM = "chat"

_log = structlog.get_logger("observability")
_tracer = trace.get_tracer("pyloto")


def _mask_personal_data(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    return {key: value if key in {"level", "timestamp", "service"} else mask(value, key) for key, value in event.items()}


def _as_json(_: WrappedLogger, __: str, event: EventDict) -> str:
    return orjson.dumps(event, default=repr).decode()


def setup(service: str, settings: Settings, stream: TextIO = sys.stderr) -> None:
    """JSON lines on `stream` with personal data masked, metrics over HTTP, traces by OTLP; each as the settings say."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _ServiceName(service),
        structlog.processors.format_exc_info,
        _mask_personal_data,
    ]
    level = logging.getLevelNamesMapping()[settings.log_level.upper()]
    structlog.configure(
        processors=[*shared, _as_json],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(stream),
        # Not cached: a logger made before the set-up, or before another set-up in a test, follows the newest one.
        cache_logger_on_first_use=False,
    )
    # Libraries that use the standard logging end in the same JSON lines, from warnings upwards.
    handler = logging.StreamHandler(stream)
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(foreign_pre_chain=shared, processor=_as_json))
    logging.basicConfig(handlers=[handler], level=max(level, logging.WARNING), force=True)

    for name, meant in misspelt(settings).items():
        _log.warning("this variable is read by nobody", variable=name, perhaps=meant)
    metrics.serve(settings.metrics_listen)
    if settings.otel_exporter_otlp_endpoint:
        provider = TracerProvider(
            resource=Resource.create({"service.name": service}),
            sampler=ParentBased(TraceIdRatioBased(settings.trace_sample_ratio)),
        )
        provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(settings.otel_exporter_otlp_endpoint)))
        trace.set_tracer_provider(provider)


class _ServiceName:
    """Adds the service's name to each line."""

    def __init__(self, service: str) -> None:
        self._service = service

    def __call__(self, _: WrappedLogger, __: str, event: EventDict) -> EventDict:
        event.setdefault("service", self._service)
        return event


def span(
    name: str,
    kind: SpanKind,
    attributes: Mapping[str, str | int | float | bool] | None = None,
    parent: Context | None = None,
) -> AbstractContextManager[Span]:
    """A span that is current inside the block; it records an exception that leaves the block."""
    if not _traced():
        return _NO_SPAN
    return _tracer.start_as_current_span(name, context=parent, kind=kind, attributes=attributes)


def outgoing_trace() -> dict[str, str]:
    """The headers that carry the current trace to the next process; empty when nothing is traced."""
    headers: dict[str, str] = {}
    if _traced():
        propagate.inject(headers)
    return headers


def incoming_trace(headers: Mapping[str, str]) -> Context | None:
    """The trace that the headers of a message or call carry; None when nothing is traced."""
    return propagate.extract(headers) if _traced() else None


_NO_SPAN = nullcontext(trace.INVALID_SPAN)


def _traced() -> bool:
    """Whether somebody collects spans: without, a turn would spend half a millisecond on spans that nobody sees."""
    return isinstance(trace.get_tracer_provider(), TracerProvider)
