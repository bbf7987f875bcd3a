"""The commands as users run them: real processes on the embedded system."""

import json
import os
import signal
import subprocess
from collections import Counter
from pathlib import Path

import psutil
import pytest

from cli.processes import free_port
from tests.cli.pyloto import PROGRAM, run

pytestmark = pytest.mark.e2e


def test_demo_answers_every_turn_and_ends_with_0() -> None:
    """A hand-over, a goodbye and an attack that is declined; the path of each turn is legal from its first state on."""
    done = run("demo", "--json")

    assert done.returncode == 0, done.stderr
    turns = [json.loads(line) for line in done.stdout.splitlines()]
    assert all(turn["reply"]["text"] for turn in turns)
    resting = {turn["conversation"]: turn["state"] for turn in turns}
    assert resting == {"demo-loja": "ESCALATING", "demo-crm": "COMPLETED", "demo-ataque": "AWAITING_USER"}
    assert turns[0]["path"][:3] == ["INIT", "IDENTIFYING", "UNDERSTANDING_INTENT"]
    assert [turn["option"] for turn in turns if turn["option"]], "a menu was tapped"


def test_send_answers_each_message_once_and_names_the_bad_line() -> None:
    """In order per conversation, a repeated message with the same reply; the exit code says that a line was wrong."""
    lines = [
        json.dumps({"conversation": f"c{number}", "id": f"c{number}-{part}", "text": text})
        for part, text in enumerate(("oi", "vocês fazem entrega?", "e o crm, quais canais atende?"))
        for number in range(20)
    ]
    lines.insert(3, '{"conversation": "c1", "txt": "oi"}')
    lines.append(lines[0])

    done = run("send", "--wait", "-", stdin="\n".join(lines))

    assert done.returncode == 2
    assert "line 4: txt:" in done.stderr
    answered: dict[str, list[str]] = {}
    answers = {answer["reply_id"]: answer for answer in map(json.loads, done.stdout.splitlines())}
    for answer in answers.values():
        answered.setdefault(answer["conversation_id"], []).extend(answer["in_reply_to"])
    assert answered == {f"c{number}": [f"c{number}-{part}" for part in range(3)] for number in range(20)}


def test_chat_works_with_piped_input() -> None:
    """The number picks an option; after the hand-over the assistant is silent, and that is said."""
    done = run("chat", stdin="oi\n1\nquero falar com um atendente\nalô?\n/quit\n")

    assert done.returncode == 0, done.stderr
    said = done.stdout
    assert "1 Entregas" in said
    assert "Pyloto Entrega" in said
    assert "fica em silêncio" in said
    assert "\x1b[" not in said, "no colours where there is no terminal"


def test_up_says_at_once_that_the_broker_is_away() -> None:
    """Before anything is started, and what to do about it."""
    done = run("up", "--amqp", f"amqp://127.0.0.1:{free_port()}/")

    assert done.returncode == 1
    assert "rabbitmq-server -detached" in done.stderr
    assert "starting" not in done.stderr


def test_up_takes_the_port_of_the_environment() -> None:
    """So that examples with fixed addresses work."""
    port = free_port()
    environment = {**os.environ, "FSM_LISTEN": f"127.0.0.1:{port}"}
    with subprocess.Popen([PROGRAM, "up", "--json"], stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout is not None
        fsm = json.loads(process.stdout.readline())["fsm"]
        process.send_signal(signal.SIGTERM)

    assert fsm == f"127.0.0.1:{port}"


def test_up_restarts_what_dies_and_stops_on_sigterm(tmp_path: Path) -> None:
    """It says so; at the end it exits with 0 and leaves no process behind."""
    command = [PROGRAM, "up", "--json", "--data-dir", str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        running = json.loads(process.stdout.readline())["running"]
        pids = {part["name"]: int(part["pid"]) for part in running}

        os.kill(pids["response"], signal.SIGKILL)
        told: Counter[str] = Counter()
        while not told["serves again"]:
            line = process.stderr.readline()
            assert line, "it ended"
            told.update(part for part in ("ended by signal 9", "serves again") if part in line)
        children = psutil.Process(process.pid).children(recursive=True)
        process.send_signal(signal.SIGTERM)
        output, errors = process.communicate(timeout=30)

        assert told["ended by signal 9"] == 1
        assert (process.returncode, output) == (0, "")
        assert errors.splitlines()[-1] == "stopped"
        assert set(pids) == {"store", "context", "fsm", "response", "msgtype", "gateway"}
        assert len(children) == 5
        assert not any(child.is_running() for child in children)
