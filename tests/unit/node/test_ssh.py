"""SshConnection against a real sshd of our own on the loopback."""

from __future__ import annotations

import getpass
import hashlib
import os
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import paramiko
import pytest

from cri_switch.model.errors import (
    HostKeyRefused,
    LoginRefused,
    RemoteCommandFailed,
    RemoteTimeout,
    SettingsError,
    SudoRefused,
    Unreachable,
)
from cri_switch.model.migration import Ssh
from cri_switch.model.node_ref import NodeRef
from cri_switch.node.command import Command, plain, sudo
from cri_switch.node.pool import ConnectionPool
from cri_switch.node.ssh import SshConnection
from cri_switch.node.transfer import Transfer

SSHD = shutil.which("sshd") or "/usr/sbin/sshd"
pytestmark = pytest.mark.skipif(not Path(SSHD).exists(), reason="needs Debian's openssh-server")

FAKE_SUDO = """#!/bin/sh
while [ "$1" != -- ]; do shift; done; shift
case "$1" in
  id) echo 'sudo: a password is required' >&2; exit 1;;
  ls) echo 'Sorry, user ops is not allowed to execute '"'/bin/ls'"' as root on node1.' >&2; exit 1;;
  nowhere-to-be-found) echo 'sudo: a password is required' >&2; exit 1;;
esac
exec "$@"
"""


@dataclass
class Sshd:
    """A running sshd, and the settings that reach it."""

    port: int
    folder: Path
    process: subprocess.Popen[bytes]
    ssh: Ssh

    @property
    def node(self) -> NodeRef:
        return NodeRef(name="node1", uid="u1", address="127.0.0.1")


def _free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def _keygen(path: Path) -> str:
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(path)], check=True)
    return path.with_name(path.name + ".pub").read_text()


@pytest.fixture(scope="module")
def sshd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
    folder = tmp_path_factory.mktemp("sshd")
    Path("/run/sshd").mkdir(exist_ok=True)
    port, host_key = _free_port(), _keygen(folder / "host")
    (folder / "authorized").write_text(_keygen(folder / "key"))
    (folder / "bin").mkdir()
    (folder / "bin" / "sudo").write_text(FAKE_SUDO)
    (folder / "bin" / "sudo").chmod(0o755)
    (folder / "sshd_config").write_text(
        f"ListenAddress 127.0.0.1:{port}\nHostKey {folder}/host\nAuthorizedKeysFile {folder}/authorized\nUsePAM no\n"
        f"StrictModes no\nPidFile none\nPasswordAuthentication no\nSetEnv PATH={folder}/bin:/usr/sbin:/usr/bin:/bin\n"
    )
    (folder / "known_hosts").write_text(f"[127.0.0.1]:{port} {host_key}")
    (folder / "ssh_config").write_text(
        f"Host node1\n  HostName 127.0.0.1\n  Port {port}\n  User {getpass.getuser()}\n  IdentityFile {folder}/key\n"
        f"  IdentitiesOnly yes\n  UserKnownHostsFile {folder}/known_hosts\n"
        f"Host jumped\n  HostName 127.0.0.1\n  Port {port}\n  User {getpass.getuser()}\n  IdentityFile {folder}/key\n"
        f"  IdentitiesOnly yes\n  UserKnownHostsFile {folder}/known_hosts\n  ProxyJump node1\n"
    )
    process = subprocess.Popen([SSHD, "-D", "-e", "-f", str(folder / "sshd_config")], stderr=subprocess.DEVNULL)
    for _ in range(100):
        with socket.socket() as sock:
            if sock.connect_ex(("127.0.0.1", port)) == 0:
                break
        time.sleep(0.02)
    yield Sshd(port, folder, process, Ssh(config_file=str(folder / "ssh_config"), connect_timeout=5))
    process.terminate()
    process.wait()


@pytest.fixture
def node(sshd: Sshd) -> Iterator[SshConnection]:
    connection = SshConnection.open(sshd.node, sshd.ssh)
    yield connection
    connection.close()


def test_a_command_is_quoted_and_answers_all_three(node: SshConnection) -> None:
    result = node.run(plain("printf", "%s|", "a b", "$HOME", "it's"))
    assert (result.rc, result.stdout) == (0, "a b|$HOME|it's|")
    assert "nonexistent" in node.run(plain("ls", "/nonexistent", ok=(2,))).stderr


def test_environment_reaches_a_program_under_sudo(node: SshConnection) -> None:
    assert Command(("printenv", "A"), env=(("A", "x y"),)).shell() == "LC_ALL=C sudo -n 'A=x y' -- printenv A"


def test_big_output_on_both_streams_and_big_stdin(node: SshConnection) -> None:
    content = bytes(range(256)) * 12000
    result = node.run(Command(("tee", "/dev/stderr"), sudo=False, stdin=content))
    assert result.stdout.encode("utf-8", "surrogateescape") == content
    assert len(result.stderr) > 1_000_000


def test_stdin_that_nobody_reads(node: SshConnection) -> None:
    assert node.run(Command(("true",), sudo=False, stdin=b"x" * 5_000_000, timeout=5)).rc == 0


def test_a_child_that_keeps_stdout_open_is_left_behind(node: SshConnection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cri_switch.node.channel.LINGER", 0.2)
    assert node.run(plain("sh", "-c", "sleep 20 & echo out", timeout=15)).stdout == "out\n"


def test_an_exit_code_that_is_not_ok(node: SshConnection) -> None:
    with pytest.raises(RemoteCommandFailed) as caught:
        node.run(plain("sh", "-c", "echo why >&2; exit 3"))
    assert (caught.value.rc, caught.value.stderr) == (3, "why\n")
    assert node.run(plain("false", ok=(1,))).rc == 1


def test_the_deadline_closes_the_channel_and_not_the_connection(node: SshConnection) -> None:
    started = time.monotonic()
    with pytest.raises(RemoteTimeout, match="did not end within 2 s"):
        node.run(plain("sleep", "30", timeout=2))
    assert time.monotonic() - started < 20
    assert node.run(plain("echo", "on")).stdout == "on\n"


def test_a_connection_lost_in_the_middle_says_nothing_of_the_outcome(node: SshConnection) -> None:
    def cut() -> None:
        node._client.get_transport().sock.shutdown(socket.SHUT_RDWR)  # type: ignore[union-attr]

    timer = threading.Timer(0.3, cut)
    timer.start()
    with pytest.raises(Unreachable, match="lost during sleep") as caught:
        node.run(plain("sleep", "5"))
    assert "not known" in caught.value.state
    timer.join()


def test_the_server_process_dying_is_a_lost_connection(node: SshConnection) -> None:
    with pytest.raises(Unreachable, match="lost during"):
        node.run(plain("sh", "-c", 'kill -9 "$PPID"; kill -9 $$', timeout=5))


def test_a_stale_connection_is_opened_anew_once(node: SshConnection) -> None:
    node._client.get_transport().close()  # type: ignore[union-attr]
    assert node.run(plain("echo", "again")).stdout == "again\n"


def test_sudo_refusals_are_no_failure_of_the_command(node: SshConnection) -> None:
    with pytest.raises(SudoRefused, match="a password is required"):
        node.run(sudo("id", ok=(0, 1)))
    with pytest.raises(SudoRefused, match="not allowed to execute"):
        node.run(sudo("ls", "/"))
    assert node.run(sudo("cat", "/nonexistent", ok=(1,))).rc == 1


def test_a_program_that_is_not_there_is_127(node: SshConnection) -> None:
    assert node.run(sudo("nowhere-to-be-found", ok=(127,))).rc == 127
    with pytest.raises(RemoteCommandFailed, match="command not found"):
        node.run(sudo("nowhere-to-be-found"))


def test_a_file_comes_home_whole(node: SshConnection, tmp_path: Path) -> None:
    content = bytes(range(256)) * 8000
    (tmp_path / "there").write_bytes(content)
    found = node.run_to_file(plain("cat", str(tmp_path / "there")), tmp_path / "here")
    assert (found.size, found.sha256) == (len(content), hashlib.sha256(content).hexdigest())
    assert (tmp_path / "here").read_bytes() == content
    assert (tmp_path / "here").stat().st_mode & 0o777 == 0o600
    with pytest.raises(RemoteCommandFailed):
        node.run_to_file(plain("cat", "/nonexistent"), tmp_path / "none")
    assert not (tmp_path / "none").exists()


def test_a_changed_host_key_is_refused_in_both_modes(sshd: Sshd, tmp_path: Path) -> None:
    known = tmp_path / "known"
    known.write_text(f"[127.0.0.1]:{sshd.port} {_keygen(tmp_path / 'other')}")
    for mode in ("strict", "accept-new"):
        ssh = sshd.ssh.model_copy(update={"known_hosts": str(known), "host_keys": mode})
        with pytest.raises(HostKeyRefused, match=str(known)) as caught:
            SshConnection.open(sshd.node, ssh)
        assert f"ssh-keygen -R '[127.0.0.1]:{sshd.port}' -f {known}" in caught.value.next_step


def test_an_unknown_host_key(sshd: Sshd, tmp_path: Path) -> None:
    known = tmp_path / "new" / "known"
    strict = sshd.ssh.model_copy(update={"known_hosts": str(known)})
    with pytest.raises(HostKeyRefused, match="no host key"):
        SshConnection.open(sshd.node, strict)
    before = os.umask(0)
    try:
        SshConnection.open(sshd.node, strict.model_copy(update={"host_keys": "accept-new"})).close()
    finally:
        os.umask(before)
    SshConnection.open(sshd.node, strict).close()
    assert [each.stat().st_mode & 0o777 for each in (known.parent, known)] == [0o700, 0o600]


def test_a_key_that_is_not_accepted(sshd: Sshd, tmp_path: Path) -> None:
    _keygen(tmp_path / "stranger")
    with pytest.raises(LoginRefused, match="does not accept our key"):
        SshConnection.open(sshd.node, sshd.ssh.model_copy(update={"identity_file": str(tmp_path / "stranger")}))


def test_nobody_listens(sshd: Sshd) -> None:
    with pytest.raises(Unreachable, match="no connection"):
        SshConnection.open(sshd.node, sshd.ssh.model_copy(update={"port": _free_port()}))


def test_an_ssh_config_that_is_missing(sshd: Sshd) -> None:
    with pytest.raises(SettingsError, match="does not exist"):
        SshConnection.open(sshd.node, Ssh(config_file="/nonexistent/config"))


def test_a_node_that_ssh_config_does_not_name_is_reached_by_its_address(sshd: Sshd) -> None:
    stranger = NodeRef(name="not-in-ssh-config", uid="u2", address="127.0.0.1")
    folder = sshd.folder
    known, key = str(folder / "known_hosts"), str(folder / "key")
    ssh = sshd.ssh.model_copy(update={"port": sshd.port, "known_hosts": known, "identity_file": key})
    connection = SshConnection.open(stranger, ssh)
    assert connection.run(plain("true")).rc == 0
    connection.close()


def test_a_jump_host(sshd: Sshd) -> None:
    connection = SshConnection.open(NodeRef(name="jumped", uid="u3"), sshd.ssh)
    assert connection.run(plain("echo", "through")).stdout == "through\n"
    connection.close()


def test_the_pool_has_one_connection_a_node(sshd: Sshd) -> None:
    pool = ConnectionPool(SshConnection.open)
    found: list[Transfer] = []
    threads = [threading.Thread(target=lambda: found.append(pool.get(sshd.node, sshd.ssh))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4
    assert len({id(connection) for connection in found}) == 1
    pool.drop(sshd.node)
    assert pool.get(sshd.node, sshd.ssh) is not found[0]
    pool.close_all()


def test_commands_side_by_side_on_one_connection(node: SshConnection) -> None:
    answers: list[str] = []
    threads = [
        threading.Thread(target=lambda n=n: answers.append(node.run(plain("echo", str(n))).stdout.strip()))
        for n in range(6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [str(n) for n in range(6)]
    assert isinstance(node._client, paramiko.SSHClient)
