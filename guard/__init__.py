"""The business constraints on every outgoing word: pure, and the rules are data (`rules/*.toml`)."""

from guard.check import Finding, Verdict, check, check_parts, load, violations

__all__ = ["Finding", "Verdict", "check", "check_parts", "load", "violations"]
