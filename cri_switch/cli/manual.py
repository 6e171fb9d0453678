"""What `--help` says of each command: one line, what else to know, and three examples. docs/commands is made of it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Page:
    """A command's help; `examples` are (comment, arguments)."""

    summary: str
    about: str
    examples: tuple[tuple[str, str], tuple[str, str], tuple[str, str]]

    @property
    def text(self) -> str:
        """Above the options."""
        return "\n\n".join(part for part in (self.summary, self.about) if part)

    def shown(self, name: str) -> str:
        """The examples, below the options."""
        lines = [f"  # {comment}\n  cri-switch {name} {words}".rstrip() for comment, words in self.examples]
        return "\n\n".join(["Examples:", *lines])


MANUAL: dict[str, Page] = {
    "init": Page(
        "Write a commented settings file: from a kubeconfig, and what is found by it and in ssh_config.",
        "Nothing is changed but the file. It refuses to write over one that is there, unless --force.",
        (
            ("migration.yaml, of the current context", ""),
            ("Another cluster, reached by a Kubespray inventory", "--kubeconfig prod.conf -i prod/hosts.yaml"),
            ("Only look at what it would be", "-f - --user ops"),
        ),
    ),
    "preflight": Page(
        "Look at the cluster and at every node that would be switched, and print all findings.",
        "Nothing is changed. The exit code is 3 when errors are left; docs/findings.md tells what each name means.",
        (
            ("All that stands in the way", "-f migration.yaml"),
            ("For a script: who is in the way", "-f migration.yaml -o json | jq -r '.findings[].object'"),
            ("Take an error as a warning", "-f migration.yaml --ignore-preflight-errors=BarePod"),
        ),
    ),
    "plan": Page(
        "Print which nodes would be switched, in which order, and why the others would not. Changes nothing.",
        "With --node-root no cluster is asked: what would change in the files of one node is printed.",
        (
            ("The nodes, the batches, what was found", "-f migration.yaml"),
            ("Keep it, and do exactly that later", "-f migration.yaml --diff --out plan.json"),
            ("One node from a copy of its files, without a cluster",
             "--node-root w1 --kubelet-version v1.20 --target-version 1.4.13"),
        ),
    ),
    "migrate": Page(
        "Switch the nodes, in this process. Without --yes: print the plan and change nothing.",
        "The same command again goes on where a run stopped. A node that fails goes back to Docker.",
        (
            ("The plan, and nothing changed", "-f migration.yaml"),
            ("Exactly the plan that was saved; refused if the facts have moved", "--plan plan.json --yes"),
            ("Do it; the report as JSON", "-f migration.yaml --yes -o json > report.json"),
        ),
    ),
    "rollback": Page(
        "Take one node back to Docker, until Docker's packages are gone: drain, undo, prove, uncordon.",
        "Without --yes nothing is done.",
        (
            ("What would be done", "w1 -f migration.yaml"),
            ("Do it", "w1 -f migration.yaml --yes"),
            ("Do it; the report as JSON", "w1 -f migration.yaml --yes -o json"),
        ),
    ),
    "deploy": Page(
        "Register the deployments plan-cluster, migrate-cluster and rollback-node/NAME with this file's settings.",
        "Needs a Prefect server (PREFECT_API_URL). A schedule that is there already is left as it is.",
        (
            ("Register, or bring up to date", "-f migration.yaml"),
            ("What Prefect knows then", "-f migration.yaml && prefect deployment ls"),
            ("And start one", "-f prod.yaml && prefect deployment run migrate-cluster/prod"),
        ),
    ),
    "status": Page(
        "Show where a migration stands, from the cluster and the nodes alone: Prefect is not asked.",
        "Of each node: runtime, the journal's attempt and last step, whose cordon it is, what comes next. -w looks"
        " again until nobody holds the Lease.",
        (
            ("Where it stands", "-f migration.yaml"),
            ("Until the run has ended", "-f migration.yaml -w"),
            ("For a script: who is where", "-f migration.yaml -o json | jq -r '.nodes[].phase'"),
        ),
    ),
    "facts": Page(
        "Show all that preflight and plan read off one node, and what a migration wrote down there.",
        "Read-only. Values that look like secrets are masked.",
        (
            ("A table", "w1 -f migration.yaml"),
            ("For a ticket", "w1 -f migration.yaml -o yaml > w1.yaml"),
            ("The node's journal", "w1 -f migration.yaml -o json | jq .journal"),
        ),
    ),
    "cleanup": Page(
        "Delete Docker's data on the nodes that are switched, for good: images, containers, volumes.",
        "Only where Docker's packages are gone, and where nothing lies there that is not Kubernetes'. Without --yes a"
        " terminal is asked for the cluster's name, and anything else only told what would be deleted.",
        (
            ("What would be deleted; on a terminal, asked for the cluster's name", "-f migration.yaml"),
            ("Without a terminal", "-f migration.yaml --yes --confirm-cluster kubernetes"),
            ("One node", "-f migration.yaml --limit w1"),
        ),
    ),
    "unlock": Page(
        "Show who holds the cluster's Lease; with --yes free it. For a run that is dead for certain.",
        "",
        (
            ("Who holds it, and since when", "-f migration.yaml"),
            ("Free it", "-f migration.yaml --yes"),
            ("Free that of another cluster", "-f staging.yaml --yes"),
        ),
    ),
    "demo": Page(
        "Migrate a simulated cluster by the real flow: nothing real is touched, nothing but this program is needed.",
        "",
        (
            ("Eleven nodes, one of which fails once", ""),
            ("More nodes, faster, and nothing goes wrong", "--nodes 40 --speed 30 --fault none"),
            ("Look at the run in Prefect's UI", "--ui"),
        ),
    ),
    "completion": Page(
        "Print a script by which bash, zsh or fish completes commands and options.",
        "",
        (
            ("In this shell", "bash > /tmp/completion && source /tmp/completion"),
            ("For good, bash", "bash >> ~/.bash_completion"),
            ("For good, fish", "fish > ~/.config/fish/completions/cri-switch.fish"),
        ),
    ),
    "version": Page(
        "Print the version.",
        "",
        (
            ("The version", ""),
            ("In a script", "> version.txt"),
            ("The engine's too", "&& prefect version"),
        ),
    ),
}  # fmt: skip
"""By the command's name; each is the function of that name in the module of that name in cli/commands."""
