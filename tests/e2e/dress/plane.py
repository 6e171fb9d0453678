"""What the control plane wears: files and programs that nothing of it reads while it runs."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from cri_switch.rehearsal.certificates import certificate
from tests.e2e.dress.hanger import Hanger
from tests.e2e.dress.workers import STATUS, packages
from tests.e2e.site import Site

_PKI, _YEAR = "/etc/kubernetes/pki", 365


@contextmanager
def plane(site: Site, node: str) -> Iterator[None]:
    """A client's certificate that has ended and another one that will, a containerd of dpkg's record that the kubelet
    does not speak to, a clock that answers in words, a df that fails.
    """
    today = int(time.time() // 86400)
    with ExitStack() as back:
        wear = Hanger(site, node, back)
        wear.change(f"{_PKI}/etcd/healthcheck-client.crt", certificate("healthcheck", today - _YEAR - 1))
        wear.add(f"{_PKI}/dressed.crt", certificate("dressed", today - _YEAR + 15))
        wear.change(STATUS, packages(wear.read(STATUS), "containerd", "Version", "2.0.0-1"))
        wear.add("/usr/local/bin/date", "#!/bin/sh\necho noon\n", mode="755")
        wear.add("/usr/local/bin/df", "#!/bin/sh\nexit 3\n", mode="755")
        yield
