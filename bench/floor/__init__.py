"""The floor: the same hops with nothing in them, written with the same libraries used well.

RabbitMQ → gateway → FSM (LLM) → response (LLM) ∥ message type (LLM) → publish with confirm → ack, and seven operations on the
store. No understanding, no guard, no composition, no logs, no metrics: what the product costs above it is what its features
cost.
"""
