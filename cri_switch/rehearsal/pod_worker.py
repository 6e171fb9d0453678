"""A kubelet's work on its pods: started, restarted, stopped, their status told."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from cri_switch.rehearsal.box import Box, EngineRefuses
from cri_switch.rehearsal.failed_starts import seconds_until_next, waits
from cri_switch.rehearsal.pod import Pod, pod_of
from cri_switch.rehearsal.pod_record import Record
from cri_switch.rehearsal.pod_status import Waiting, pod_status
from cri_switch.rehearsal.static_pods import mirror
from cri_switch.rehearsal.surroundings import Obj

if TYPE_CHECKING:
    from cri_switch.rehearsal.kubelet import Kubelet
    from cri_switch.rehearsal.machine import Machine

CREATE_SECONDS = 0.8
RETRY_SECONDS = 5.0


class PodWorker:
    """`sync` brings the engine to what is desired, as far as time allows."""

    def __init__(self, machine: Machine, kubelet: Kubelet) -> None:
        self._machine, self._kubelet = machine, kubelet
        self._records: dict[str, Record] = {}

    def forget(self) -> None:
        """A new process knows nothing."""
        self._records.clear()

    def sync(self, problem: str, desired: Mapping[str, Obj]) -> bool:
        """`problem`: the runtime does not answer; then only statuses are told. Whether all is at rest."""
        now, engine = self._machine.now(), self._kubelet.engine
        boxes: dict[str, list[Box]] = {}
        for box in engine.boxes.values():
            if box.pod is not None:
                boxes.setdefault(box.pod.uid, []).append(box)
        uids = set()
        for key, obj in desired.items():
            uid = obj["metadata"].get("uid", "")
            uids.add(uid)
            record = self._records.get(uid)
            if record is None:
                record = self._records[uid] = Record(pod_of(obj), now, now if uid in boxes else now + CREATE_SECONDS)
            if record.seen is not obj:
                record.seen, record.pod = obj, pod_of(obj)
            mine = boxes.get(uid, [])
            if obj["metadata"].get("deletionTimestamp"):
                self._end(record, obj, mine, now, problem)
                continue
            if not problem:
                mine = self._run(record, record.pod, mine, now)
            self._tell(key, record, obj, mine, now)
        if problem:
            return False
        for uid in [uid for uid in boxes if uid not in uids]:
            for sandbox in [box for box in boxes[uid] if box.sandbox]:
                engine.remove_sandbox(sandbox)
        for uid in [uid for uid in self._records if uid not in uids]:
            del self._records[uid]
        return all(record.rests for record in self._records.values())

    def _end(self, record: Record, obj: Obj, boxes: list[Box], now: float, problem: str) -> None:
        if record.kill_at is None:
            grace = obj["metadata"].get("deletionGracePeriodSeconds")
            seconds = record.pod.stop_seconds if grace is None else min(record.pod.stop_seconds, float(grace))
            record.kill_at = now + (seconds if any(box.running for box in boxes) else 0.0)
        if now < record.kill_at or problem or not self._kubelet.api:
            return
        for sandbox in [box for box in boxes if box.sandbox]:
            self._kubelet.engine.remove_sandbox(sandbox)
        with self._machine.world.store.acting(f"kubelet:{self._machine.name}"):
            self._machine.world.store.finalize("Pod", obj)

    def _run(self, record: Record, pod: Pod, boxes: list[Box], now: float) -> list[Box]:
        engine = self._kubelet.engine
        if pod.exits_after is not None:
            for box in boxes:
                if box.running and not box.sandbox and now - box.started >= pod.exits_after:
                    engine.stop_box(box, 0)
        own = [box for box in boxes if not box.sandbox]
        if pod.restart != "Always" and own and all(not box.running for box in own):
            for sandbox in [box for box in boxes if box.sandbox and box.running]:
                engine.stop_box(sandbox, 0)
                if not pod.host_network:
                    self._machine.network.detach(sandbox.id, engine.cache)
            return own
        alive = [box for box in boxes if box.sandbox and box.running]
        running = {box.name for box in own if box.running and alive and box.sandbox_id == alive[0].id}
        missing = [(name, image) for name, image in pod.containers if name not in running]
        if not missing:
            return own
        try:
            if now < record.next_at:
                if not alive and not record.waiting.message:  # its sandbox comes at once, its containers after it
                    self._sandbox(pod, boxes)
                for box in own:
                    if box.failure and box.attempt and now > box.finished:
                        record.waiting = waits(pod, box)
                return own
            return self._start(pod, boxes, alive, missing)
        except EngineRefuses as problem:
            record.waiting = Waiting(
                "ContainerCreating" if problem.reason == "FailedCreatePodSandBox" else problem.reason, problem.message
            )
            failed = [box for box in engine.boxes.values() if box.failure and box.finished == now and box.pod == pod]
            record.next_at = now + (seconds_until_next(failed[0].attempt) if failed else RETRY_SECONDS)
            self._machine.journal.add("kubelet.service", f"Error syncing pod {pod.uid} ({pod.key}): {problem}")
            return [
                box
                for box in engine.boxes.values()
                if box.pod is not None and box.pod.uid == pod.uid and not box.sandbox
            ]

    def _start(self, pod: Pod, boxes: list[Box], alive: list[Box], missing: list[tuple[str, str]]) -> list[Box]:
        engine = self._kubelet.engine
        attempts = {box.name: box.attempt + 1 for box in sorted(boxes, key=lambda box: box.attempt)}
        alive = alive or [self._sandbox(pod, boxes)]
        for name, image in missing:
            before = [box for box in boxes if box.name == name and box.id in engine.boxes]
            for old in before[:-1]:
                engine.remove(old)
            engine.run_container(alive[0], name, image, attempts.get(name, 0))
            for old in before[-1:]:
                if not old.failure:
                    engine.remove(old)
        return [box for box in engine.boxes.values() if box.sandbox_id == alive[0].id and not box.sandbox]

    def _sandbox(self, pod: Pod, boxes: list[Box]) -> Box:
        for sandbox in [box for box in boxes if box.sandbox]:
            self._kubelet.engine.remove_sandbox(sandbox)
        return self._kubelet.engine.run_sandbox(pod)

    def _tell(self, key: str, record: Record, obj: Obj, boxes: list[Box], now: float) -> None:
        if not self._kubelet.api:
            return
        scheme = self._kubelet.engine.version.partition(":")[0]
        own = [box for box in boxes if not box.sandbox]
        status = pod_status(record.pod, own, scheme, self._machine.address, now, record.waiting, record.since)
        name, namespace = obj["metadata"]["name"], obj["metadata"]["namespace"]
        static = "kubernetes.io/config.source" in (obj["metadata"].get("annotations") or {})
        if status == record.told and (not static or key in self._kubelet.pods):
            return
        store = self._machine.world.store
        with store.acting(f"kubelet:{self._machine.name}"):
            if static and store.get("Pod", name, namespace) is None:
                store.create("Pod", mirror(obj, store.get("Node", self._machine.name)))
            there = store.get("Pod", name, namespace)
            if there is None:
                return

            def change(found: Obj) -> None:
                found["status"] = {**(found.get("status") or {}), **status}

            store.change("Pod", name, namespace, change)
            record.told = status
