"""`pyloto exam`: how well messages are understood, replies guarded and conversations led, on labelled examples."""

from cli.exam.command import EPILOG, exam

__all__ = ["EPILOG", "exam"]
