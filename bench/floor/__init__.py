"""The floor: the same hops with nothing in them, written with the libraries alone, each used well.

RabbitMQ → gateway → FSM (LLM) → response (LLM) ∥ message type (LLM) → publish with confirm → ack, and seven operations on the
store: aio-pika, grpc.aio, the client of `openai` on aiohttp and Motor, with nothing of ours between. No understanding, no
guard, no composition, no logs, no metrics. A fixed mark: what is made faster in `common/` or `gateway/` does not move it.
"""
