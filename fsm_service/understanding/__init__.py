"""Deterministic understanding of one customer message: readable rules and a small linear model, no LLM."""
