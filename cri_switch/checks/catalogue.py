# ruff: noqa: E501 (a row of the table is a line)
"""Every finding by its stable name: the reference in docs/findings.md is made from this.

python -m cri_switch.checks.catalogue > docs/findings.md
"""

from __future__ import annotations

import sys
from dataclasses import dataclass


@dataclass(frozen=True)
class Entry:
    """A name, what it means, and what helps; `level` is `error`, `warning`, or both where settings decide."""

    name: str
    level: str
    meaning: str
    remedy: str


_E, _W, _B = "error", "warning", "error or warning"

SECTIONS: dict[str, tuple[Entry, ...]] = {
    "Workloads": (
        Entry("DockerSocketMounted", _B, "A pod or template mounts Docker's socket, dockershim's, cri-dockerd's, or a directory above one (`/run`, `/var/run`, `/var`, `/`), as a hostPath or by a claim on a hostPath or local PersistentVolume. This and the two next are warnings for pods that have finished.", "Another way than the node's Docker: Buildah, BuildKit rootless or a successor of Kaniko for image builds, containerd's socket for agents. Or allow its owner: `spec.allow_docker_socket`."),
        Entry("DockerSocketNamed", _W, "A volume has `docker.sock` or `dockershim.sock` in its path, but not where Docker listens by default, or no container mounts it.", "See whether Docker listens there (`hosts` in daemon.json), else take the volume out."),
        Entry("DockerBinaryMounted", _B, "It mounts the `docker` program of the node, which goes with Docker's packages.", "Bring the program in the image, or do without. Or allow its owner."),
        Entry("DockerDataMounted", _B, "It mounts `/var/lib/docker`, or a node's data-root elsewhere, which is not filled any more.", "Use the runtime's API (CRI) or `/var/log/pods`. Or allow its owner."),
        Entry("DockerConfigMounted", _W, "It mounts `/etc/docker`, whose settings nobody reads any more.", "Use `/etc/containerd`."),
        Entry("DockerLogsMounted", _W, "It mounts `/var/lib/docker/containers`, or the like below a data-root elsewhere: a log agent that will find nothing new there.", "Read `/var/log/pods` or `/var/log/containers`, and parse the CRI format."),
        Entry("DockerInDocker", _W, "A privileged container brings a Docker of its own (it runs `dockerd`, or its image does) and mounts nothing of the node's.", "Nothing; see it work on the first node."),
        Entry("TemplatesNotChecked", _W, "The credentials may not list Jobs or CronJobs, so what they would start was not looked at.", "Apply `deployments/rbac.yaml` of this version."),
    ),
    "Drain": (
        Entry("PdbNeverAllows", _E, "A PodDisruptionBudget of a pod on a chosen node can never allow a disruption: maxUnavailable 0, or minAvailable as high as there are pods.", "Scale up, lower the budget, or set `spec.drain.disable_eviction` (bypasses all budgets)."),
        Entry("PdbAllowsNoneNow", _W, "A budget allows no disruption just now; the drain waits for it.", "See why its pods are not ready."),
        Entry("PodInSeveralBudgets", _E, "Several budgets select one pod; the API refuses to evict it.", "Leave one of them, or set `spec.drain.disable_eviction`."),
        Entry("BarePod", _B, "A pod without a controller: the drain refuses (error), or deletes it for good with `spec.drain.force` (warning).", "Delete it, give it a controller, or set `spec.drain.force`."),
        Entry("EmptyDirData", _B, "A pod with an emptyDir volume: the drain refuses (error), or deletes its data with `spec.drain.delete_emptydir_data` (warning).", "See whether the data may go, then set it."),
        Entry("SingleReplica", _W, "A workload of one replica on a chosen node is down for a moment.", "Scale it to two for the migration."),
        Entry("LongGracePeriod", _W, "A pod may take more than five minutes, or longer than `spec.drain.timeout`, to end.", "Raise the timeout, or set `spec.drain.grace_period`."),
        Entry("PodFinalizers", _W, "A pod has finalizers, so it is not gone before somebody takes them off.", "See that their controller runs."),
        Entry("HostPathData", _W, "A pod that may move uses a directory of its node.", "Give it a volume, or a nodeSelector."),
        Entry("BatchDoesNotFit", _W, "Pods of a batch find no room on the other nodes and wait until it is back. Checked: requests, number of pods, cordons, taints, node selectors, required node affinity, volumes tied to nodes, host ports, required pod affinity and anti-affinity, topology spread (DoNotSchedule). Not checked: what is only preferred, namespaceSelector, minDomains and the like, priorities, quotas, limits of attached volumes.", "Add a node, scale down, or lower `spec.max_unavailable`."),
        Entry("TiedToCordonedNode", _E, "Pods of a chosen node that an administrator has cordoned may run on no other node: it stays cordoned, so they stay Pending until somebody uncordons it; ignored, the run does not wait for them and names them.", "`kubectl uncordon` it, or `spec.nodes.exclude`."),
    ),
    "Nodes": (
        Entry("Unreachable", _E, "The node or its sshd does not answer.", "See to the node, ssh_config and the network."),
        Entry("HostKeyRefused", _E, "The node shows another host key than known_hosts, or none is known.", "Compare it with the node's own; `ssh-keygen -R`, or `spec.ssh.host_keys: accept-new` for unknown hosts."),
        Entry("LoginRefused", _E, "The node does not accept the user's key.", "`spec.ssh.user`, `spec.ssh.identity_file`, authorized_keys."),
        Entry("SudoRefused", _E, "sudo asks for a password, or its rule does not allow a command.", "Install `deployments/sudoers`."),
        Entry("SudoRuleIncomplete", _E, "sudo's rule lacks programs that a migration runs.", "Install `deployments/sudoers` of this version."),
        Entry("RemoteCommandFailed", _E, "A command that only reads failed on the node.", "Run it there by hand; the message has it."),
        Entry("RemoteTimeout", _E, "A command that only reads did not end in time.", "Look at the node: load, disk, a hanging dockerd."),
        Entry("SettingsError", _E, "The settings for ssh cannot be used for this node.", "Correct what the message names."),
        Entry("NotProven", _E, "Something that was read off the node is not as it must be.", "The message names it."),
        Entry("AnswerNotUnderstood", _E, "A program on the node answered something that is not understood; what hangs on it was not checked.", "Ask it there by hand; the message names what was asked."),
        Entry("FileChanged", _E, "A file cannot be read.", "The message names it."),
        Entry("UnsupportedDistribution", _E, "The node is not of the Debian family.", "`spec.nodes.exclude`."),
        Entry("ManagedNode", _E, "GKE, EKS or AKS manages the node.", "The provider's own tools, or `spec.nodes.exclude`."),
        Entry("UnknownDaemonSet", _E, "An entry of `spec.hold_daemonsets` is no DaemonSet of the cluster.", "`kubectl get daemonsets -A`."),
        Entry("WrongMachine", _E, "The machine that answers by ssh is not the one whose kubelet reports as this node (their machine ids differ).", "See where ssh goes: `ssh -G NODE`, `spec.ssh.inventory`. If the machine id was made anew, restart the kubelet."),
        Entry("InventoryMismatch", _W, "The inventory and the API differ: nodes that only one has, another role, another address.", "Bring the inventory up to date; the API decides what is migrated."),
        Entry("RuntimeNotDocker", _E, "A chosen node runs neither Docker nor the target runtime, or says nothing of it (a node that has never been Ready): it would be left as it is.", "`spec.nodes.exclude`."),
        Entry("UnknownNode", _E, "A name or glob in `spec.nodes`, or its selector, matches no node.", "`kubectl get nodes --show-labels`."),
        Entry("NodeWithoutZone", _W, "Nodes lack the label that `spec.spread` names; together they are taken for one zone.", "`kubectl label node`."),
        Entry("ContainerdCandidateMissing", _E, "containerd is not installed and no package source has it.", "`apt-get update`; `apt-cache policy containerd`."),
        Entry("InstallRemovesPackages", _E, "apt would remove packages to install containerd.", "`spec.target.package`: the containerd of the same source as Docker."),
        Entry("PackagesPending", _E, "dpkg was interrupted.", "`dpkg --configure -a`; `apt-get -f install`."),
        Entry("PackageHeld", _W, "Packages that the migration touches are held; holds are lifted and restored.", "Nothing."),
        Entry("TwoContainerds", _W, "containerd is installed twice, by a package and by hand.", "Remove the one that the unit does not start."),
        Entry("RuntimeVersionsDiffer", _W, "Nodes would run different versions of containerd.", "The same package source everywhere."),
        Entry("VersionSkew", _E, "This kubelet and this containerd speak no common CRI.", "Another containerd; the message says which."),
        Entry("ContainerdCniFault", _W, "containerd 1.6.0 to 1.6.3 has a fault with CNI versions.", "containerd 1.6.4."),
        Entry("NotDockershim", _B, "The kubelet (1.24 and newer) has no dockershim: Docker runs by cri-dockerd, which is not supported yet. A warning where only a copy of its files is planned.", "`spec.nodes.exclude`."),
        Entry("UnknownVersion", _E, "The kubelet's version is not understood.", "`kubectl get nodes`."),
        Entry("NotEnoughDisk", _E, "The images in use do not fit beside Docker's.", "`docker image prune`, or a disk for `/var/lib/containerd`."),
        Entry("DiskBelowThreshold", _W, "With the images in both stores the kubelet would evict pods.", "`docker image prune`, or a disk for `/var/lib/containerd`."),
        Entry("ForeignContainers", _B, "Docker runs containers that are not Kubernetes'; they would be stopped and removed. A warning with `spec.allow_foreign_containers`.", "Move them away, or allow it."),
        Entry("EtcdInDocker", _E, "etcd runs as a container of Docker outside of Kubernetes.", "Move it out of Docker first."),
        Entry("SwarmActive", _E, "Docker is in swarm mode.", "Move the services away; `docker swarm leave`."),
        Entry("LiveRestore", _W, "Containers outlive dockerd, so each is stopped by itself.", "Nothing."),
        Entry("DockerNotActive", _W, "Docker does not run.", "`systemctl status docker`; a node that an earlier run left half done has it stopped."),
        Entry("CriDockerdActive", _W, "cri-dockerd runs and is not stopped by the migration.", "Disable it once the node is switched."),
        Entry("CrictlMissing", _E, "crictl is not installed: nothing could be proven of the new runtime, and the node would be taken back.", "Install it (package cri-tools) in `/usr/local/bin` or `/usr/bin`."),
        Entry("ProgramMissing", _E, "A program that the migration runs on the node is not installed: ping, pgrep, on control-plane nodes curl.", "`apt-get install iputils-ping procps curl`."),
        Entry("FlagsFileMissing", _B, "The kubelet's flags file is not there. A warning where only a copy of the node's files is planned.", "`spec.kubelet.flags_file`."),
        Entry("FlagsFileUnreadable", _E, "The kubelet's flags file is not understood.", "The message names the line."),
        Entry("FlagsFileLineIgnored", _W, "A line of one of the kubelet's environment files is neither NAME=value nor a comment, so systemd leaves it out.", "Take it out, or write it as it was meant."),
        Entry("KubeletConfigMissing", _W, "The copy of a node's files that is planned has no `/var/lib/kubelet/config.yaml`: the cgroup driver is taken from daemon.json.", "Copy it too."),
        Entry("CgroupDriversDiffer", _E, "The kubelet's cgroup driver is not Docker's, so which one containerd needs is not known; a wrong one is silent.", "Set `cgroupDriver` in `/var/lib/kubelet/config.yaml` to what the kubelet really uses."),
        Entry("ContainerdConfigNotTaken", _E, "containerd would not take what the new config.toml says: it refuses the text, or a file that it imports says something else.", "`containerd config default`; look at `imports`."),
        Entry("KubeletFlagElsewhere", _E, "Another place sets another runtime for the kubelet.", "Move those flags to the flags file."),
        Entry("KubeletNeedsDocker", _E, "The kubelet's unit cannot run without Docker's.", "Take the line out; `systemctl daemon-reload`."),
        Entry("FileNotUnderstood", _E, "A file of the node is not understood; the message names file and line.", "Correct it."),
        Entry("DuplicateKey", _W, "A key is set twice in daemon.json, the kubelet's configuration or, where a copy of the node's files is planned, a static pod's manifest: its readers take the last one without a word.", "Leave one of them."),
        Entry("ClockSkew", _W, "The node's clock is more than 5 s from ours.", "`timedatectl set-ntp true`."),
        Entry("SelinuxEnforcing", _W, "SELinux is enforcing.", "A policy for containerd, and `enable_selinux`."),
        Entry("AppArmor", _W, "AppArmor of Ubuntu 24.04 and newer keeps older runc from ending containers.", "A newer runc, or `disable_apparmor`."),
        Entry("StaleMounts", _W, "A containerd left mounts behind below tmpmounts.", "umount them, or reboot."),
        Entry("MetadataBlackholed", _W, "169.254.169.254 swallows packets: each start of the kubelet waits for it.", "`ip route add unreachable 169.254.169.254`."),
        Entry("HostUsesDocker", _W, "Unit files or cron files of the host call docker. Programs that they start are not looked into.", "crictl, or `ctr -n k8s.io`."),
        Entry("DockerSocketInUse", _W, "Programs of the host, not in pods, are connected to Docker's socket.", "Let them use containerd's."),
    ),
    "Docker's settings": (
        Entry("DockerLogOptions", _W, "Log driver and log options do not apply any more.", "containerLogMaxSize and containerLogMaxFiles of the kubelet."),
        Entry("DockerDefaultRuntime", _W, "The default runtime is not carried over.", "Configure it in containerd; `nvidia-ctk runtime configure --runtime=containerd`."),
        Entry("DockerDataRoot", _W, "Docker's data are elsewhere; containerd's are in `/var/lib/containerd`.", "See that there is room."),
        Entry("RegistryNotCarried", _W, "containerd has no words for a registry.", "Name hosts one by one in daemon.json."),
        Entry("DockerProxyNotCarried", _W, "docker.service has proxy variables (a drop-in, /etc/default/docker) that containerd.service has not: pulls would go past the proxy.", "The same for containerd, with the cluster's own addresses in NO_PROXY: `/etc/systemd/system/containerd.service.d/http-proxy.conf`."),
        Entry("HostsTomlKept", _W, "A `hosts.toml` of `/etc/containerd/certs.d` is an administrator's own: it stays as it is, without daemon.json's settings of that registry.", "Compare it with daemon.json."),
        Entry("RegistryCertsNotCarried", _W, "`/etc/docker/certs.d` has certificates for registries; containerd does not read it.", "Add the CA to the node's own (`update-ca-certificates`), or name it in containerd's configuration."),
        Entry("KubeletNetworkNotCni", _B, "The kubelet's `--network-plugin` is not `cni`, or is not set and no CNI plugin is configured: dockershim made the pods' network, and no other runtime has that. A warning where it is not set and there is a CNI configuration, by which the pods' network would be made from then on.", "Install a CNI plugin and let the node run with `--network-plugin=cni` first."),
        Entry("KubeletFlagNotCarried", _W, "Flags of the kubelet that only dockershim had, with a value that was set by hand, go without a successor; also where its unit or another environment file sets them.", "See whether containerd needs the like."),
        Entry("DockerSettingNotCarried", _W, "Keys of daemon.json that are not carried over.", "See whether containerd or the kubelet needs the like."),
    ),
    "Control plane and cluster": (
        Entry("OrchestratorOnNode", _E, "This process runs on a node that it would drain.", "Run it on a machine outside of the cluster."),
        Entry("OrchestratorInCluster", _E, "This process runs in a pod of the cluster that it would migrate.", "Run it on a machine outside of the cluster."),
        Entry("UnknownFinding", _E, "`spec.ignore_preflight_errors` names a finding that does not exist.", "This page has all names."),
        Entry("MissingRight", _E, "The API account lacks rights.", "Apply `deployments/rbac.yaml`."),
        Entry("BackupNotAcknowledged", _E, "Volumes and hostPath data are not in the backup.", "Back them up, then `spec.backup.acknowledge_not_backed_up: true`."),
        Entry("SingleControlPlane", _W, "One control-plane node: the API is away while it is switched.", "An hour when nobody deploys."),
        Entry("EtcdQuorum", _E, "etcd has two members that vote: with one out there is no quorum, and no control-plane node would be started.", "A third one, or `spec.nodes.role: worker`."),
        Entry("EtcdUnhealthy", _E, "Members of etcd do not answer.", "Bring etcd to health first."),
        Entry("EtcdAlarm", _E, "etcd has an alarm, such as NOSPACE.", "`etcdctl alarm list`; compact, defrag, disarm."),
        Entry("EtcdNotLocal", _E, "etcd is not kubeadm's static pod, so no snapshot can be taken.", "Take it where etcd runs; `spec.backup.skip: true`."),
        Entry("SnapshotSpace", _E, "No room for etcd's snapshot, on the node or in the backup's directory.", "Make room."),
        Entry("CertificateExpired", _E, "A certificate of the control plane has expired.", "`kubeadm certs renew all`."),
        Entry("CertificateExpires", _W, "A certificate of the control plane expires within a month.", "`kubeadm certs renew all`."),
    ),
}  # fmt: skip

NAMES = frozenset(entry.name for entries in SECTIONS.values() for entry in entries)

_HEAD = """# Findings

What `cri-switch preflight` may find, and `plan` and `migrate` before anything else. An error stops a migration before
anything is touched; a warning is shown. `--ignore-preflight-errors=A,B`, or `spec.ignore_preflight_errors`, takes errors
of these names as warnings (case does not matter; `all` is every one). Names do not change.

Made by `python -m cri_switch.checks.catalogue`.
"""


def page() -> str:
    """docs/findings.md."""
    parts = [_HEAD]
    for section, entries in SECTIONS.items():
        rows = [f"| `{each.name}` | {each.level} | {each.meaning} | {each.remedy} |" for each in entries]
        parts.append(
            "\n".join([f"## {section}", "", "| Name | Level | Meaning | Remedy |", "|---|---|---|---|", *rows, ""])
        )
    return "\n".join(parts)


if __name__ == "__main__":
    sys.stdout.write(page())
