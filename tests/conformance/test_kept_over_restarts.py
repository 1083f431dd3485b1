"""What was steered stays so when the daemon starts anew: its clock, and partitions."""
import datetime
import json
import urllib.request

from support import wait_for


def admin(daemon, path, order=None, method=None):
    body = None if order is None else json.dumps(order).encode()
    request = urllib.request.Request(f"{daemon.url}/_atoll/{path}", body, method=method or ("GET" if order is None else "POST"))
    with urllib.request.urlopen(request) as answer:
        return json.loads(answer.read())


def now(daemon):
    return datetime.datetime.fromisoformat(admin(daemon, "clock")["now"])


def again(daemon):
    daemon.kill()
    daemon.start()


def test_the_clock(new_daemon):
    daemon = new_daemon()
    daemon.advance(36_000)
    again(daemon)
    ahead = now(daemon) - datetime.datetime.now(datetime.timezone.utc)
    assert abs(ahead.total_seconds() - 36_000) < 60
    frozen = admin(daemon, "clock", {"action": "freeze"})["now"]
    again(daemon)
    assert admin(daemon, "clock") == {"now": frozen, "frozen": True}
    daemon.advance(60)
    again(daemon)
    assert (now(daemon) - datetime.datetime.fromisoformat(frozen)).total_seconds() == 60
    admin(daemon, "clock", {"action": "resume"})
    again(daemon)
    assert not admin(daemon, "clock")["frozen"] and now(daemon) > datetime.datetime.fromisoformat(frozen)
    admin(daemon, "reset", {})
    assert abs((now(daemon) - datetime.datetime.now(datetime.timezone.utc)).total_seconds()) < 60
    assert not (daemon.data / "clock.json").exists()


def test_partitions(new_daemon):
    daemon = new_daemon()
    admin(daemon, "partitions", {"a": "orders", "b": "payments"})
    admin(daemon, "partitions", {"a": "orders", "b": "10.0.0.0/8", "seconds": 3600})
    before = admin(daemon, "partitions")
    again(daemon)
    assert admin(daemon, "partitions") == before and len(before["partitions"]) == 2
    daemon.advance(3601)
    wait_for(lambda: len(admin(daemon, "partitions")["partitions"]) == 1, what="the partition to end")
    again(daemon)
    assert [one["b"] for one in admin(daemon, "partitions")["partitions"]] == ["payments"]
    admin(daemon, "partitions", {}, "DELETE")
    again(daemon)
    assert admin(daemon, "partitions")["partitions"] == []
