"""One migration at a time: who gets the Lease, who is refused, and when it counts as lost."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import pytest

from cri_switch.cluster.lease import EVERY, SILENCE, WATCH, Lease
from cri_switch.cluster.lease_holder import DURATION, NAME, NAMESPACE, holder, unlock
from cri_switch.cluster.lease_keeper import Keeper
from cri_switch.cluster.transport import CONNECT_SECONDS, READ_SECONDS, Answer, NotSent, Request
from cri_switch.model.errors import ApiError, LockHeld, Unreachable
from tests.unit.cluster.fake_api import Clock, FakeApi, cluster, status

START = datetime(2026, 11, 23, 18, tzinfo=UTC)
KEY = ("leases", NAMESPACE, NAME)


def lease(api: FakeApi, clock: Clock, migration: str = "m1", run: str = "r1", ahead: float = 0) -> Lease:
    def wall() -> datetime:
        return START + timedelta(seconds=clock() - 1000 + ahead)

    return Lease(cluster(api), migration, run, sleep=clock.sleep, clock=clock, wall=wall)


def away(_request: Request) -> Answer | None:
    raise NotSent("connection refused")


def test_free_taken_renewed_and_released() -> None:
    api, clock = FakeApi(), Clock()
    mine = lease(api, clock)
    assert mine.identity in mine.take()
    clock.sleep(EVERY)
    assert mine.renew() == ""
    spec = api.objects[KEY]["spec"]
    assert spec["renewTime"] == "2026-11-23T18:00:15.000000Z"
    assert spec["acquireTime"] == "2026-11-23T18:00:00.000000Z"
    assert mine.release()
    assert not mine.release()
    assert api.objects[KEY]["spec"]["holderIdentity"] == ""
    other = lease(api, clock, "m2", "r2")
    assert "taken over" not in other.take()


@pytest.mark.parametrize(
    ("migration", "run", "later"),
    [("m2", "r2", 0), ("m1", "r2", 0), ("m1", "r2", DURATION - 1), ("m2", "r2", 9 * DURATION)],
)
def test_refused_with_holder_and_since(migration: str, run: str, later: float) -> None:
    api, clock = FakeApi(), Clock()
    first = lease(api, clock)
    first.take()
    clock.sleep(later)
    before = dict(api.objects[KEY]["spec"])
    with pytest.raises(LockHeld) as caught:
        lease(api, clock, migration, run).take()
    assert caught.value.exit_code == 8
    assert first.identity in caught.value.what
    assert "since 2026-11-23T18:00:00" in caught.value.what
    assert ("unlock" in caught.value.next_step) == (later > DURATION)
    assert api.objects[KEY]["spec"] == before


def test_a_run_that_was_killed_here_is_taken_over_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    api, clock = FakeApi(), Clock()
    killed = lease(api, clock)
    killed.take()
    monkeypatch.setattr("cri_switch.cluster.lease.surely_dead", lambda process: process in killed.identity)
    with pytest.raises(LockHeld):
        lease(api, clock, "m2", "r2").take()
    second = lease(api, clock, run="r2")
    assert f"taken over from {killed.identity}" in second.take()
    assert killed.renew().startswith("the Lease is lost: m1/r2/")


def test_a_run_whose_lease_a_person_freed_says_so() -> None:
    api, clock = FakeApi(), Clock()
    mine = lease(api, clock)
    mine.take()
    seen = holder(mine.cluster)
    assert seen is not None
    unlock(mine.cluster, seen)
    assert mine.renew() == "the Lease is lost: somebody freed it (cri-switch unlock)"


def test_the_same_migration_takes_over_what_has_expired() -> None:
    api, clock = FakeApi(), Clock()
    dead = lease(api, clock)
    dead.take()
    clock.sleep(DURATION + 1)
    second = lease(api, clock, run="r2")
    assert f"taken over from {dead.identity}" in second.take()
    assert dead.renew().startswith("the Lease is lost: m1/r2/")
    assert not dead.release()
    assert api.objects[KEY]["spec"]["holderIdentity"] == second.identity


def test_the_same_run_again_waits_until_its_first_process_is_surely_dead() -> None:
    api, clock = FakeApi(), Clock()
    first = lease(api, clock)
    first.take()
    lease(api, clock).take()
    assert clock.slept == [WATCH]


@pytest.mark.parametrize(("run", "ahead"), [("r1", 0), ("r2", 2 * DURATION)])
def test_one_that_is_alive_is_not_taken_over_whatever_the_clocks_say(run: str, ahead: float) -> None:
    api, clock = FakeApi(), Clock()
    alive = lease(api, clock)
    alive.take()
    clock.at(EVERY, alive.renew)
    with pytest.raises(LockHeld):
        lease(api, clock, run=run, ahead=ahead).take()
    assert alive.renew() == ""


def test_two_that_create_it_at_once() -> None:
    api, clock = FakeApi(), Clock()
    first, second = lease(api, clock), lease(api, clock, "m2", "r2")

    def too_late(request: Request) -> Answer | None:
        if request.method == "POST":
            api.answers.clear()
            first.take()
            return status(409, "AlreadyExists", "leases already exists")
        return None

    api.answers.append(too_late)
    with pytest.raises(LockHeld, match="m1/r1"):
        second.take()


def test_two_that_take_over_at_once() -> None:
    api, clock = FakeApi(), Clock()
    lease(api, clock).take()
    clock.sleep(DURATION + 1)
    second, third = lease(api, clock, run="r2"), lease(api, clock, run="r3")

    def too_late(request: Request) -> Answer | None:
        if request.method == "PATCH":
            api.answers.clear()
            third.take()
        return None

    api.answers.append(too_late)
    with pytest.raises(LockHeld, match="m1/r3"):
        second.take()


def test_an_outage_shorter_than_the_duration_is_sat_out_and_a_longer_one_is_not() -> None:
    api, clock = FakeApi(), Clock()
    mine = lease(api, clock)
    mine.take()
    api.answers.append(away)
    clock.sleep(DURATION - 20)
    assert mine.renew() == ""
    api.answers.clear()
    assert mine.renew() == ""
    api.answers.append(away)
    clock.sleep(SILENCE - 1)
    assert mine.renew() == ""
    clock.sleep(1)
    assert "not renewed for 165 s" in mine.renew()


def test_the_loss_is_noticed_before_anybody_else_may_take_it() -> None:
    """The last renewal that begins in time may hang as long as a request can."""
    api, clock = FakeApi(), Clock()
    mine = lease(api, clock)
    mine.take()
    begun = clock()

    def hangs(_request: Request) -> Answer | None:
        clock.sleep(CONNECT_SECONDS + READ_SECONDS)
        raise Unreachable("timed out")

    api.answers.append(hangs)
    clock.sleep(SILENCE - 1)
    assert "not renewed" in mine.renew()
    assert clock() - begun < DURATION + WATCH


def test_the_only_api_is_silent_because_this_run_took_it_away() -> None:
    """Nobody can take a Lease of an API that is away; once it answers, another holder is a loss as ever."""
    api, clock = FakeApi(), Clock()
    mine, in_hand = lease(api, clock), [True]
    mine.api_in_hand = lambda: in_hand[0]
    mine.take()
    api.answers.append(away)
    clock.sleep(5 * DURATION)
    assert mine.renew() == ""
    in_hand[0] = False
    assert "not renewed for 165 s" in mine.renew()
    in_hand[0] = True
    api.answers.clear()
    assert mine.renew() == ""
    clock.sleep(DURATION + 1)
    lease(api, clock, run="r2").take()
    assert mine.renew().startswith("the Lease is lost: m1/r2/")


def test_a_renewal_that_began_while_the_api_was_in_hand_is_no_loss_after_it() -> None:
    api, clock = FakeApi(), Clock()
    mine, in_hand = lease(api, clock), [True]
    mine.api_in_hand = lambda: in_hand[0]
    mine.take()

    def ends(_request: Request) -> Answer | None:
        in_hand[0] = False
        raise NotSent("connection refused")

    api.answers.append(ends)
    clock.sleep(DURATION)
    assert mine.renew() == ""


def test_a_bug_is_no_reason_to_renew_no_more() -> None:
    api, clock = FakeApi(), Clock()
    mine = lease(api, clock)
    mine.take()

    def bug(_request: Request) -> Answer | None:
        raise TypeError("nobody expected it")

    api.answers.append(bug)
    assert mine.renew() == ""
    clock.sleep(SILENCE)
    assert mine.renew() == "the Lease was not renewed for 165 s: TypeError: nobody expected it"


def test_a_renewal_whose_answer_was_lost_is_no_other_holder() -> None:
    api, clock = FakeApi(), Clock()
    mine = lease(api, clock)
    mine.take()

    def cut(request: Request) -> Answer | None:
        if request.method == "PATCH":
            api.answers.clear()
            api(request)
            raise Unreachable("connection reset")
        return None

    api.answers.append(cut)
    assert mine.renew() == ""
    assert mine.renew() == ""


def test_deleted_is_lost_and_unlock_frees_only_what_was_shown() -> None:
    api, clock = FakeApi(), Clock()
    mine = lease(api, clock)
    mine.take()
    shown = holder(cluster(api))
    assert shown is not None
    mine.renew()
    with pytest.raises(ApiError) as caught:
        unlock(cluster(api), shown)
    assert caught.value.status == 409
    again = holder(cluster(api))
    assert again is not None
    unlock(cluster(api), again)
    assert "lost" in mine.renew()
    lease(api, clock, "m2", "r2").take()
    api.remove(*KEY)
    assert holder(cluster(api)) is None


def test_the_keeper_says_once_that_it_is_lost_and_stops() -> None:
    api, clock = FakeApi(), Clock()
    mine = lease(api, clock)
    mine.take()
    said, gone = list[str](), threading.Event()

    def lost(why: str) -> None:
        said.append(why)
        gone.set()

    keeper = Keeper(mine, lost, every=0.01)
    keeper.start()
    api.remove(*KEY)
    assert gone.wait(5)
    keeper.stop()
    assert said == ["the Lease is lost: somebody deleted it"]
