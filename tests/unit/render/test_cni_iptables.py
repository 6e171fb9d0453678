from __future__ import annotations

import pytest

from cri_switch.render.cni_iptables import pod_chains, stale_rules
from tests.unit.render.test_docker_iptables import apply

NETWORK = "lab"
LIVE, DEAD = "4b944e46f1c5" + "0" * 52, "736f0f034fff45074666c3f3c2b33bc7796daca28619e60203202d9bc86cc396"
ADMINS = (
    '-A POSTROUTING -s 10.9.0.0/16 -m comment --comment "admin: not name: \\"lab\\" id: \\"{dead}\\"" -j MASQUERADE',
    "-A PREROUTING -p tcp -m tcp --dport 9080 -j ACCEPT",
    '-A CNI-HOSTPORT-DNAT -p tcp -m comment --comment "admin of {dead}" -j RETURN',
)


def pod(sandbox: str, address: str, port: int) -> tuple[list[str], list[str], list[str]]:
    """Chains, the rules that lead to them and the rules in them, as bridge and portmap 0.9.0 write them."""
    masquerade, ports, _old = pod_chains(NETWORK, sandbox)
    comment = f'name: \\"{NETWORK}\\" id: \\"{sandbox}\\""'
    to = [
        f'-A POSTROUTING -s {address}/32 -m comment --comment "{comment} -j {masquerade}',
        f'-A CNI-HOSTPORT-DNAT -p tcp -m comment --comment "dnat {comment} -m multiport --dports {port} -j {ports}',
    ]
    inside = [
        f'-A {masquerade} -d 10.244.1.0/24 -m comment --comment "{comment} -j ACCEPT',
        f'-A {masquerade} ! -d 224.0.0.0/4 -m comment --comment "{comment} -j MASQUERADE',
        f"-A {ports} -s 10.244.1.0/24 -p tcp -m tcp --dport {port} -j CNI-HOSTPORT-SETMARK",
        f"-A {ports} -s 127.0.0.1/32 -p tcp -m tcp --dport {port} -j CNI-HOSTPORT-SETMARK",
        f"-A {ports} -p tcp -m tcp --dport {port} -j DNAT --to-destination {address}:8080",
    ]
    return [f":{masquerade} - [0:0]", f":{ports} - [0:0]"], to, inside


def saved(*more: str) -> str:
    """A live and a dead pod's rules between kube-proxy's, the plugins' shared ones and an administrator's."""
    (chains, to, inside), (dead_chains, dead_to, dead_inside) = (
        pod(LIVE, "10.244.1.4", 80),
        pod(DEAD, "10.244.1.3", 9080),
    )
    lines = [
        "*nat",
        ":PREROUTING ACCEPT [3:180]",
        ":POSTROUTING ACCEPT [7:420]",
        ":CNI-HOSTPORT-DNAT - [0:0]",
        ":CNI-HOSTPORT-SETMARK - [0:0]",
        ":KUBE-POSTROUTING - [0:0]",
        *chains,
        *dead_chains,
        "-A PREROUTING -m addrtype --dst-type LOCAL -j CNI-HOSTPORT-DNAT",
        '-A POSTROUTING -m comment --comment "kubernetes postrouting rules" -j KUBE-POSTROUTING',
        *dead_to,
        *to,
        *(line.format(dead=DEAD) for line in ADMINS),
        '-A CNI-HOSTPORT-SETMARK -m comment --comment "CNI portfwd masquerade mark" -j MARK --set-xmark 0x2000/0x2000',
        *dead_inside,
        *inside,
        *more,
        "COMMIT",
    ]
    return "".join(f"{line}\n" for line in lines)


def test_a_pods_own_chains_are_named_as_the_plugins_were_seen_to_name_them() -> None:
    assert pod_chains(NETWORK, DEAD)[:2] == ("CNI-8b876e2462944512cdc2b583", "CNI-DN-8b876e2462944512cdc2b")


def test_exactly_the_dead_pods_lines_go_and_all_others_stay_byte_for_byte() -> None:
    chains, to, inside = pod(DEAD, "10.244.1.3", 9080)
    stale = stale_rules(saved(), {LIVE})
    assert sorted(stale.lines) == sorted([*chains, *to, *inside])
    gone = set(stale.lines)
    assert apply(saved(), stale) == "".join(line for line in saved().splitlines(keepends=True) if line[:-1] not in gone)
    assert set(stale.found) == {
        ("POSTROUTING", DEAD),
        ("CNI-HOSTPORT-DNAT", DEAD),
        (pod_chains(NETWORK, DEAD)[0], DEAD),
    }


def test_a_second_time_there_is_nothing_left_to_remove() -> None:
    stale = stale_rules(apply(saved(), stale_rules(saved(), {LIVE})), {LIVE})
    assert (stale.found, stale.lines, stale.removals) == ([], [], [])


@pytest.mark.parametrize("live", [{LIVE, DEAD}, {LIVE, DEAD, "other"}])
def test_nothing_of_live_sandboxes_goes(live: set[str]) -> None:
    assert stale_rules(saved(), live).removals == []


@pytest.mark.parametrize(
    "line",
    [
        "-A {0} -s 203.0.113.0/24 -j DROP",
        "-A {1} -s 203.0.113.0/24 -j DROP",
        "-A PREROUTING -i eth1 -j {1}",
        "-A PREROUTING -i eth1 -g {0}",
    ],
)
def test_a_chain_that_an_administrator_uses_stays_with_what_he_wrote(line: str) -> None:
    masquerade, ports, _old = pod_chains(NETWORK, DEAD)
    admins = line.format(masquerade, ports)
    kept, other = (masquerade, ports) if "{0}" in line else (ports, masquerade)
    stale = stale_rules(saved(admins), {LIVE})
    after = apply(saved(admins), stale)
    assert admins in after.splitlines()
    assert f":{kept} - [0:0]" in after.splitlines()
    assert other not in after
    assert stale_rules(after, {LIVE}).found == []


def test_an_empty_save_is_nothing() -> None:
    assert stale_rules("", ()).removals == []
