"""A node in memory: enough of systemd, Docker, files and iptables to perform the switch's actions on, twice."""

from __future__ import annotations

import hashlib
import json
import shlex

from cri_switch.model.errors import RemoteCommandFailed
from cri_switch.model.migration import Migration
from cri_switch.node.command import Command, Result

KUBE = "io.kubernetes."
ENDPOINT = "unix:///run/containerd/containerd.sock"
SOCKET = "/run/containerd/containerd.sock"
MISSING = "No such file or directory"


def migration(**spec: object) -> Migration:
    """Settings with the least that is needed."""
    least = {"cluster": {"kubeconfig": "k"}, "backup": {"directory": "b"}}
    return Migration.model_validate({"metadata": {"name": "m"}, "spec": least | spec})


def container(
    number: int, name: str, *, sandbox: bool = False, grace: int = 20, foreign: bool = False
) -> dict[str, object]:
    """One container as `docker inspect` with our format prints it."""
    labels = {
        f"{KUBE}container.name": "POD" if sandbox else name,
        f"{KUBE}docker.type": "podsandbox" if sandbox else "container",
        f"{KUBE}pod.name": name,
        f"{KUBE}pod.namespace": "kube-system",
        f"{KUBE}pod.uid": f"uid-{name}",
        f"annotation.{KUBE}pod.terminationGracePeriod": str(grace),
    }
    identity = f"{number:064x}"
    return {
        "id": identity,
        "name": f"/k8s_{name}",
        "state": "running",
        "pid": 1000 + number,
        "image": "sha256:b3b0",
        "image_id": "sha256:b3b0",
        "labels": {} if foreign else labels,
    }


class Machine:
    """The Connection of it; `did` are the lines of all commands that change something."""

    def __init__(self) -> None:
        self.node = "w1"
        self.active = {
            "kubelet.service": True,
            "docker.service": True,
            "docker.socket": True,
            "containerd.service": True,
        }
        self.masked: set[str] = set()
        self.enabled = {"containerd.service": False}
        self.docker: list[dict[str, object]] = []
        self.files: dict[str, str] = {}
        self.times: dict[str, float] = {SOCKET: 100.0}
        self.log_links: dict[str, str] = {}
        self.iptables = ""
        self.links = {"lo", "cni0", "docker0"}
        self.mounts = ["/run/docker/netns/default"]
        self.sysctls = {"net.ipv4.ip_forward": "1"}
        self.programs = {"ctr", "crictl", "docker"}
        self.cri_ready = True
        self.kubelet_argv = "/usr/bin/kubelet"
        self.clock = 200.0
        self.did: list[str] = []
        self.fails: dict[str, Result] = {}

    def close(self) -> None:
        """Nothing to end."""

    def run(self, command: Command) -> Result:
        """Answer as the node would."""
        env = " ".join(f"{name}={value}" for name, value in command.env)
        result = next((r for text, r in self.fails.items() if text in str(command)), None) or self._answer(command, env)
        if result.rc not in command.ok:
            raise RemoteCommandFailed(f"{command}: {result.stderr}", rc=result.rc, stderr=result.stderr)
        return result

    def _change(self, *words: str) -> Result:
        self.did.append(" ".join(words))
        return Result(0, "")

    def _answer(self, command: Command, env: str) -> Result:
        cut = command.argv.index("--") if "--" in command.argv else len(command.argv)
        tail = command.argv[cut + 1 :]
        match command.argv[:cut]:
            case ("systemctl", "show", "-p", "ExecMainStartTimestamp", _):
                return Result(0, "ExecMainStartTimestamp=Mon 2026-11-23 18:56:53 UTC\n")
            case ("systemctl", "show", *_):
                return Result(0, "\n\n".join(self._unit(name) for name in tail))
            case ("systemctl", "cat", _):
                return Result(0, self.files.get("unit", "# /lib/systemd/system/kubelet.service\n[Service]\n"))
            case ("systemctl", verb, *names):
                for name in names:
                    self._systemctl(verb, name)
                return self._change("systemctl", verb, *names)
            case ("docker", "ps", *_):
                return Result(0, "".join(f"{one['id']}\n" for one in self.docker))
            case ("docker", "inspect", *rest):
                return Result(0, "".join(f"{json.dumps(one)}\n" for one in self.docker if one["id"] in rest))
            case ("docker", "stop", "-t", seconds, *ids):
                names = [str(one["name"]).removeprefix("/k8s_") for one in self.docker if one["id"] in ids]
                for one in self.docker:
                    one.update({"state": "exited", "pid": 0} if one["id"] in ids else {})
                return self._change("docker stop -t", seconds, *names)
            case ("docker", "rm", *ids):
                self.docker = [one for one in self.docker if one["id"] not in ids]
                return self._change("docker rm", str(len(ids)))
            case ("docker", "info", *_):
                return Result(0, "cgroupfs\n")
            case ("true",):
                return Result(0, "")
            case ("pgrep", *_):
                alive = [one for one in self.docker if one["pid"]]
                return Result(
                    0 if alive else 1,
                    "".join(f"1 /usr/bin/containerd-shim-runc-v2 -namespace moby -id {o['id']}\n" for o in alive),
                )
            case (program, "--version"):
                text = "containerd github.com/containerd/containerd 1.4.13~ds1 1.4.13~ds1-1~deb11u4"
                known = program in self.programs or program == "containerd"
                return Result(0 if known else 127, text if program == "containerd" else "")
            case ("ctr", "-n", "moby", "tasks", "ls", "-q"):
                return Result(0, "".join(f"{one['id']}\n" for one in self.docker if one["pid"]))
            case ("ctr", "plugins", "ls"):
                return Result(0, "TYPE ID PLATFORMS STATUS\nio.containerd.grpc.v1 cri linux/amd64 ok\n")
            case ("crictl", *_, "info"):
                status = {"conditions": [{"type": "RuntimeReady", "status": self.cri_ready}]}
                return Result(0, json.dumps({"status": status, "config": {}}))
            case ("containerd", *_, "config", "dump"):
                return Result(0, (command.stdin or b"").decode())
            case ("grep", *_) if tail[0].startswith("/var/lib/cni"):
                found = {name: text for name, text in self.files.items() if name.startswith(f"{tail[0]}/")}
                return Result(0 if found else 1, "".join(f"{name}:{text}\n" for name, text in found.items()))
            case ("grep", *_) if tail[0].startswith("/proc/sys"):
                rows = [f"/proc/sys/{key.replace('.', '/')}:{value}" for key, value in self.sysctls.items()]
                return Result(0, "\n".join(rows))
            case ("grep", *_):
                rows = [f"{p}:{line}" for p in tail for line in self.files.get(p, "").splitlines()]
                return Result(0, "\n".join(rows))
            case ("cat", "/proc/filesystems"):
                return Result(0, "nodev\tproc\n\text4\nnodev\toverlay\n")
            case ("cat", "/proc/self/mounts"):
                return Result(0, "".join(f"nsfs {path} nsfs rw 0 0\n" for path in self.mounts))
            case ("cat", path) if path.startswith("/proc/"):
                return Result(0, self.kubelet_argv.replace(" ", "\0"))
            case ("cat",):
                path = tail[0]
                there = path in self.files
                return Result(0, self.files[path]) if there else Result(1, "", f"cat: {path}: {MISSING}")
            case ("sha256sum",):
                return self._sum(tail[0])
            case ("stat", "-c", "%F"):
                return Result(0, "regular file") if tail[0] in self.files else Result(1, "", MISSING)
            case ("stat", "-c", "%.Y %n"):
                rows = [f"{self.times[path]} {path}\n" for path in tail if path in self.times]
                return Result(0 if len(rows) == len(tail) else 1, "".join(rows), "" if rows else MISSING)
            case ("find", *_):
                return Result(
                    0,
                    "".join(
                        f"  1 4 lrwxrwxrwx 1 root root 165 Nov 23 19:18 {a} -> {b}\n" for a, b in self.log_links.items()
                    ),
                )
            case ("ls", "-1", "/sys/class/net"):
                return Result(0, "\n".join(self.links))
            case ("iptables-save",):
                return Result(0, self.iptables)
            case ("ip6tables-save",):
                return Result(0, "")
            case ("rm", "-f"):
                for path in tail:
                    self.files.pop(path, None)
                    self.log_links.pop(path, None)
                return self._change("rm", *tail)
            case ("dd", target, *rest):
                path, text = target.removeprefix("of="), (command.stdin or b"").decode()
                if "oflag=append,nofollow" in rest and path not in self.files:
                    return Result(1, "", MISSING)
                self.files[path] = (self.files[path] if "oflag=append,nofollow" in rest else "") + text
                return Result(0, "")
            case ("install", *_) if "/dev/null" in command.argv:
                self.files[command.argv[-1]] = ""
                return Result(0, "")
            case ("cp", *_):
                self.files[tail[1]] = self.files[tail[0]]
                return Result(0, "")
            case ("mv", *_):
                source, target = tail
                self.files[target] = self.files.pop(source)
                self.clock += 1
                self.times[target] = self.clock
                return self._change("write", target)
            case ("chown" | "chmod" | "install" | "mkdir", *_):
                return Result(0, "")
            case ("iptables", "-w", "10", *words):
                return self._iptables(words)
            case ("ip", "link", "delete", name):
                self.links.remove(name)
                return self._change("ip link delete", name)
            case ("umount", path):
                self.mounts.remove(path)
                return self._change("umount", path)
            case ("modprobe", "-a", *modules):
                self.sysctls |= {f"net.bridge.bridge-nf-call-{t}": "0" for t in ("iptables", "ip6tables")}
                return self._change("modprobe", *modules)
            case ("sysctl", "-p", path):
                pairs = [line.partition(" = ") for line in self.files[path].splitlines() if " = " in line]
                self.sysctls |= {key: value for key, _is, value in pairs}
                return self._change("sysctl -p", path)
            case (program, *_) if program.startswith("/opt/cni/bin/"):
                return self._change(program, env)
        raise AssertionError(f"nothing is known of: {command}")

    def _sum(self, path: str) -> Result:
        if path not in self.files:
            return Result(1, "", MISSING)
        return Result(0, f"{hashlib.sha256(self.files[path].encode()).hexdigest()}  {path}\n")

    def _unit(self, name: str) -> str:
        state = "active" if self.active.get(name) else "inactive"
        load = "masked" if name in self.masked else "loaded"
        file = "masked" if name in self.masked else "enabled" if self.enabled.get(name, True) else "disabled"
        return f"Id={name}\nLoadState={load}\nActiveState={state}\nUnitFileState={file}\nMainPID=77\n"

    def _systemctl(self, verb: str, name: str) -> None:
        if verb == "mask":
            self.masked.add(name)
        elif verb == "enable":
            self.enabled[name] = True
        else:
            self.active[name] = verb != "stop"
        if name == "containerd.service" and verb in ("start", "restart"):
            self.clock += 1
            self.times[SOCKET] = self.clock
        if name == "kubelet.service" and verb in ("start", "restart"):
            flags = self.files["/var/lib/kubelet/kubeadm-flags.env"].partition("=")[2].strip().strip('"')
            self.kubelet_argv = f"/usr/bin/kubelet {flags}"

    def _iptables(self, words: list[str]) -> Result:
        lines = self.iptables.splitlines()
        if words[0] == "-P":
            lines = [f":FORWARD {words[2]} [0:0]" if line.startswith(":FORWARD DROP") else line for line in lines]
        else:
            _t, table, verb, chain, *_ = words
            start = lines.index(f"*{table}")
            end = lines.index("COMMIT", start)
            block = lines[start:end]
            if verb == "-D":
                block.remove(next(x for x in block if x.startswith("-A") and shlex.split(x)[1:] == words[3:]))
            else:
                gone = f"-A {chain} " if verb == "-F" else f":{chain} "
                block = [line for line in block if not line.startswith(gone)]
            lines[start:end] = block
        self.iptables = "\n".join(lines) + "\n"
        return self._change("iptables", *words)
