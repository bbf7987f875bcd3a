"""Brings up the LLM client of a service, or none: with neither key nor base URL the deterministic path answers."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog

from common.model_metrics import ModelMetrics
from common.model_settings import ModelSettings
from common.model_task import Model

_log = structlog.get_logger("model")


@asynccontextmanager
async def open_model(settings: ModelSettings) -> AsyncIterator[Model | None]:
    """The model, closed at the end; None when none is configured."""
    if not settings.configured:
        _log.info("no LLM is configured (LLM_API_KEY, LLM_BASE_URL): the deterministic path answers")
        yield None
        return
    from common.model import OpenAIModel  # the SDK takes most of a second to import; without a model nobody waits for it

    prices = ModelMetrics(
        input_price=settings.llm_price_input_usd,
        cached_price=settings.llm_price_cached_usd,
        output_price=settings.llm_price_output_usd,
    )
    model = OpenAIModel(settings, prices)
    try:
        yield model
    finally:
        await model.close()
