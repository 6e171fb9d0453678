"""What a check found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel, ConfigDict

from cri_switch.model.secrets import masked_words


@dataclass(frozen=True)
class Finding:
    """One result of a check: `name` is stable, users ignore findings by it (kubeadm's form).

    An error stops the migration before anything is touched; a warning is shown. Its texts may quote a file of a node:
    secrets in them are masked here.
    """

    level: Literal["error", "warning"]
    name: str
    summary: str
    node: str = ""
    object: str = ""
    detail: str = ""
    remedy: str = ""

    def __post_init__(self) -> None:
        for name in ("summary", "detail", "remedy"):
            object.__setattr__(self, name, masked_words(getattr(self, name)))

    def line(self) -> str:
        """`[ERROR Name]: summary`, and a `fix:` line where a remedy is known."""
        text = f"[{self.level.upper()} {self.name}]: {self.summary}"
        return f"{text}\n\tfix: {self.remedy}" if self.remedy else text


class Findings(BaseModel):
    """All that a preflight found: what `-o json` shows."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    findings: tuple[Finding, ...] = ()

    @property
    def errors(self) -> tuple[Finding, ...]:
        """Those that stop a migration."""
        return tuple(finding for finding in self.findings if finding.level == "error")
