"""Which requests are sent again, how often, and what an answer that is not 2xx means."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from cri_switch.cluster.transport import Answer, NotSent, Request, Send
from cri_switch.model.deadline import Deadline
from cri_switch.model.errors import ApiError, Unreachable

Manner = Literal["read", "repeatable", "mutation", "once"]
"""read: again on everything transient. repeatable: a change that may be sent twice, as often as a read. mutation: again
only if it was surely not carried out. once: neither, the caller decides; only a server that does not know us yet is
asked again."""

_AS_A_READ: tuple[Manner, ...] = ("read", "repeatable")
_TRANSIENT = (429, 500, 502, 503, 504)
_RBAC_SAYS_NO = re.compile(r'User "[^"]*" cannot ')
_WARM_UP = 5.0
_FIRST_PAUSE, _LONGEST_PAUSE = 0.2, 2.0


@dataclass
class Caller:
    """Sends requests until they are answered or `patience` seconds are over.

    An API server that starts answers 401 and 403 for a second or three, before it has read its roles (peers.md 64), so
    these too are tried again, for five seconds from the first of them; and what it answers then has as long at least,
    however long it was away before. `kubeconfig` is for messages.
    """

    send: Send
    kubeconfig: str = ""
    patience: float = 20.0
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic

    def call(self, request: Request, manner: Manner = "read") -> Any:
        """The JSON of a 2xx answer.

        Raises:
            ApiError: the server refused; `status` says how.
            Unreachable: no answer, or only 5xx, for `patience` seconds.
        """
        deadline, pause = Deadline.after(self.patience, self.clock), _FIRST_PAUSE
        starts: Deadline | None = None
        while True:
            try:
                answer = self.send(request)
                if 200 <= answer.status < 300:
                    return parsed(request, answer)
                problem: ApiError | Unreachable = self._problem(request, answer, manner)
            except Unreachable as unreachable:
                problem = unreachable
            if _knows_us_not(problem):
                if starts is None:
                    starts = Deadline.after(_WARM_UP, self.clock)
                    deadline, pause = Deadline.after(max(deadline.remaining, _WARM_UP), self.clock), _FIRST_PAUSE
                left = starts.remaining
            else:
                left = deadline.remaining if self._again(problem, manner) else 0.0
            if left <= 0:
                raise problem
            self.sleep(min(pause, left))
            pause = min(pause * 2, _LONGEST_PAUSE)

    def _again(self, problem: ApiError | Unreachable, manner: Manner) -> bool:
        if isinstance(problem, Unreachable):
            return manner in _AS_A_READ or (manner == "mutation" and isinstance(problem, NotSent))
        return problem.status == 429 and manner != "once"

    def _problem(self, request: Request, answer: Answer, manner: Manner) -> ApiError | Unreachable:
        status = _status_object(answer)
        message = status.get("message") or answer.text.strip()[:500] or "no text"
        what = f"{request}: {answer.status}: {message}"
        if answer.status in _TRANSIENT and answer.status != 429 and manner in _AS_A_READ:
            return Unreachable(what, next_step=f"kubectl --kubeconfig {self.kubeconfig} get --raw '/readyz?verbose'")
        next_step = ""
        if answer.status in (401, 403):
            next_step = (
                "kubectl apply -f deployments/rbac.yaml (as an administrator), and see that"
                f" {self.kubeconfig or 'the kubeconfig'} carries a token of its service account"
            )
        causes = (status.get("details") or {}).get("causes") or []
        return ApiError(
            what,
            status=answer.status,
            reason=str(status.get("reason") or ""),
            causes=tuple(f"{cause.get('reason', '')}: {cause.get('message', '')}" for cause in causes),
            state="the server refused the call and did nothing" if answer.status < 500 else "",
            next_step=next_step,
        )


def _knows_us_not(problem: ApiError | Unreachable) -> bool:
    if isinstance(problem, Unreachable):
        return False
    return problem.status == 401 or (problem.status == 403 and bool(_RBAC_SAYS_NO.search(problem.what)))


def parsed(request: Request, answer: Answer) -> Any:
    """The JSON of an answer.

    Raises:
        ApiError: it is not JSON, so something else than an API server answers.
    """
    try:
        return json.loads(answer.text)
    except ValueError as problem:
        raise ApiError(f"{request}: the answer is not JSON: {answer.text[:200]!r}", status=answer.status) from problem


def _status_object(answer: Answer) -> dict[str, Any]:
    try:
        value = json.loads(answer.text)
    except ValueError:
        return {}
    return value if isinstance(value, dict) and value.get("kind") == "Status" else {}
