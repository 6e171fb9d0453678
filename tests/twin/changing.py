"""Which commands of the list change a node, by hand: what the simulator's invariants go by is compared with it.

A command that is new fails the test until it stands here.
"""

from __future__ import annotations

LOOKS = (
    "apt-cache policy", "apt-get -s", "apt-mark showhold", "apt-mark showmanual", "cat PATH", "containerd", "crictl",
    "ctr --version", "curl", "date", "df", "dpkg-query", "find PATH -maxdepth", "find PATH -xtype", "grep",
    "ls", "pgrep", "ping", "sleep", "ss", "stat", "sudo -n -l", "systemctl cat", "systemctl list-units",
    "systemctl show", "true",
    "sudo cat", "sudo find -L", "sudo find PATH -maxdepth", "sudo find PATH -mindepth", "sudo find PATH -type l -ls",
    "sudo find PATH -xtype l", "sudo grep", "sudo ip6tables-save", "sudo iptables-save", "sudo journalctl", "sudo ls",
    "sudo readlink", "sudo sha256sum", "sudo stat", "sudo tar -C PATH -c --",
    "sudo crictl --runtime-endpoint unix:///run/containerd/containerd.sock exec",
    "sudo crictl --runtime-endpoint unix:///run/containerd/containerd.sock in",
    "sudo crictl --runtime-endpoint unix:///run/containerd/containerd.sock p", "sudo crictl exec", "sudo crictl info",
    "sudo crictl ps", "sudo ctr -n k8s.io containers info", "sudo ctr -n k8s.io containers ls",
    "sudo ctr -n k8s.io images ls", "sudo ctr -n k8s.io tasks ls", "sudo ctr -n moby tasks ls", "sudo ctr plugins",
    "sudo docker exec", "sudo docker info", "sudo docker inspect", "sudo docker ps",
)  # fmt: skip
CHANGES = (
    "sudo CNI-PLUGIN", "sudo apt-mark", "sudo deb-systemd-helper", "sudo docker rm", "sudo docker stop",
    "sudo crictl --runtime-endpoint unix:///run/containerd/containerd.sock rmp",
    "sudo crictl --runtime-endpoint unix:///run/containerd/containerd.sock stop",
    "sudo ctr -n k8s.io containers rm", "sudo ctr -n k8s.io tasks kill", "sudo ctr -n k8s.io tasks rm",
    "sudo crictl exec ID etcdctl --endpoints=... --cacert=... --cert=... --key=... snapshot save",
    "sudo docker exec -e ETCDCTL_API=3 ID etcdctl --endpoints=... --cacert=... --cert=... --key=... snapshot save",
    "sudo find PATH -depth -type d -empty -delete",
    "sudo find PATH -mindepth N -maxdepth N -type f -name [0-9]*.log* -delete", "sudo ip link", "sudo iptables",
    "sudo kill", "sudo modprobe", "sudo sysctl", "sudo systemctl", "sudo systemd-run", "sudo umount",
)  # fmt: skip
FILES = (
    "sudo chmod", "sudo chown", "sudo cp", "sudo dd", "sudo install", "sudo mkdir", "sudo mv", "sudo rm",
)  # fmt: skip
"""They change a node outside the pipeline's own directory on it."""
OWN = "/var/lib/cri-switch/"


def kind(shape: str) -> str:
    """`looks`, `changes`, `files`, or "" for a command that nobody has judged; the longest beginning counts."""
    kinds = (("looks", LOOKS), ("changes", CHANGES), ("files", FILES))
    fits = [(len(head), name) for name, heads in kinds for head in heads if shape.startswith(head)]
    return max(fits, default=(0, ""))[1]


def changing(shape: str, argv: list[str]) -> bool:
    """Whether it changes a node; ValueError for one that nobody has judged."""
    found = kind(shape)
    if not found:
        raise ValueError(f"{shape}: does it change a node? Say so in {__name__}")
    written = next((word for word in argv if word.startswith("of=")), argv[-1])
    return found == "changes" or (found == "files" and OWN not in written)
