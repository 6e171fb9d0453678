"""One command on one ssh channel: stdin, stdout and stderr moved together until it ends or its deadline passes."""

from __future__ import annotations

import select
from collections.abc import Callable
from typing import BinaryIO

import paramiko

from cri_switch.model.deadline import Deadline

CHUNK = 128 * 1024
LINGER = 5.0


class ChannelLost(Exception):
    """The channel closed without an exit status: what became of the command is not known."""


class ChannelDeadline(Exception):
    """The deadline passed; the channel was closed."""


class TooMuchOutput(Exception):
    """More output than was allowed; the channel was closed."""


def pump(
    channel: paramiko.Channel,
    source: BinaryIO | None,
    out: Callable[[bytes], None],
    err: Callable[[bytes], None],
    deadline: Deadline,
) -> int:
    """Move all three streams, none blocking another, and answer the exit code.

    stdin is sent whole, then closed. A child that keeps stdout open past the end of the command is left behind
    after LINGER seconds of silence.

    Raises: ChannelLost, ChannelDeadline, and what `out` and `err` raise; the channel is closed then.
    """
    channel.setblocking(0)
    ready = select.poll()
    ready.register(channel.fileno(), select.POLLIN)
    pending = b"" if source is None else source.read(CHUNK)
    if not pending:
        channel.shutdown_write()
    lingering = Deadline.after(0)
    while True:
        ended, closed, no_more = channel.exit_status_ready(), channel.closed, channel.eof_received  # before the drain
        moved = _drain(channel, out, err)
        if pending and source is not None:
            sent = _send(channel, pending)
            moved, pending = moved or sent > 0, pending[sent:]
            if not pending and not (pending := source.read(CHUNK)):
                channel.shutdown_write()
        if moved or not ended:
            lingering = Deadline.after(LINGER)
        if moved:
            continue
        if closed or (ended and (no_more or lingering.expired)):
            break
        if deadline.expired:
            raise ChannelDeadline
        wait = min(deadline.remaining, 0.02 if pending else 0.5)
        if channel.eof_received:
            channel.status_event.wait(wait)
        else:
            ready.poll(wait * 1000)
    if channel.exit_status == -1:
        raise ChannelLost
    return channel.exit_status


def _drain(channel: paramiko.Channel, out: Callable[[bytes], None], err: Callable[[bytes], None]) -> bool:
    moved = False
    if channel.recv_ready():
        moved = True
        out(channel.recv(CHUNK))
    if channel.recv_stderr_ready():
        moved = True
        err(channel.recv_stderr(CHUNK))
    return moved


def _send(channel: paramiko.Channel, data: bytes) -> int:
    if channel.closed or not channel.send_ready():
        return 0
    try:
        return channel.send(data)
    except (TimeoutError, OSError):  # the window is full, or the program closed its stdin: the exit code will tell
        return 0
