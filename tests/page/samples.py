"""samples: a status of each mode, in the shape that the program answers it."""


def common(mode, **more):
    return {"version": "1.0", "time": 1_700_000_000, "uptime_seconds": 4_000, "ready": True,
            "unready_because": None, "mode": mode, **more}


def function(name, *topics, **more):
    return {"function": name, "topics": list(topics), "bound": True, "state": "up",
            "state_seconds": 3_999, "paused": False, "in_flight": 3, "pending": 12, "held": 0,
            "done": 123_456, "retries": 7, "unanswered": 1, "unsent": 0, "dropped": 0, "unbound": 0,
            "too_old": 0, "dead_letters": 2,
            "answers": {"2xx": 123_440, "3xx": 0, "4xx": 9, "5xx": 14, "of_late": 64,
                        "errors_of_late": 32}, **more}


def partition(topic, n, **more):
    return {"topic": topic, "partition": n, "state": "running", "paused": False,
            "committed_offset": 1_000 + n, "commit_refused": None, "committable_offset": 1_000 + n,
            "next_offset": 1_010 + n, "lag": 40 * n + 17, "window_fill": 10, "functions": 1,
            "oldest_unfinished": {"offset": 1_000 + n, "function": "invoice",
                                  "invocation": "backing off", "because": "it waits for its next "
                                  "attempt", "attempts": 2}, **more}


def invoke(topics=("orders", "returns"), partitions=4, **more):
    return common(
        "invoke", map={"functions": 2, "age_seconds": 1.2, "fault": None},
        group={"group": "workers", "state": "assigned", "unread": None, "rebalances": 1, "lost": 0},
        topics=list(topics),
        dispatcher={"state": "working", "received": 100_000, "in_flight": 5, "max_inflight": 64,
                    "buffered_bytes": 90_000, "max_buffered_bytes": 64 << 20, "commit_fault": None,
                    "stalled": None},
        gateway="up", gateway_state_seconds=3_999,
        dead_letters={"topic": "{topic}.dead", "in_flight": 0, "failures": 0, "truncated": 0,
                      "fault": None},
        paused={"everything": False, "topics": [], "functions": []},
        functions=[function("invoice", *topics), function("audit", topics[0])],
        partitions=[partition(topic, n) for topic in topics for n in range(partitions)], **more)


def troubled():
    """Nearly all that can be wrong at once."""
    status = invoke()
    status.update(ready=False, unready_because="waiting for the group to assign partitions",
                  gateway="away", gateway_state_seconds=75)
    status["map"].update(fault="no connection", age_seconds=80)
    status["dispatcher"]["commit_fault"] = "no member any more"
    status["dead_letters"]["fault"] = "no such topic"
    status["paused"]["topics"] = ["returns"]
    status["functions"][1].update(state="away", state_seconds=200, held=3)
    status["functions"][1]["answers"].update(errors_of_late=64)
    status["functions"][0]["answers"].update(errors_of_late=33)
    status["functions"].append(function("gone", bound=False))
    status["partitions"][1].update(state="full", commit_refused="no right to the topic")
    status["partitions"][3].update(state="full")
    status["partitions"][4].update(state="full")
    status["partitions"][2].update(lag=-1, committed_offset=-1, state="starting",
                                   oldest_unfinished=None)
    return status


def binding(name, **more):
    return {"topic": "orders", "consumerGroupId": "workers", "functionName": name,
            "minPendingMessages": 10, "cooldownSeconds": 30, "activityKeepAliveSeconds": 60,
            "minConsumedDeltaForActivity": 1, "pending": 42, "awakeBecause": "pending",
            "groupReadable": True, "lastActivity": None, "lastWakeUp": 1_699_999_990,
            "wakeUpUnderWay": False, "wakeUps": {"pending": 3, "activity": 1,
                                                 "pending_and_activity": 2},
            "wakeUpFailures": 4, "wakeUpFault": None, "stale": None, **more}


def watch():
    return common("watch", settings_fault=False,
                  kafka={"fault": None, "checks": 1_234, "check_seconds": 0.004},
                  bindings=[binding("invoice"), binding("audit", awakeBecause="none", pending=0),
                            binding("nobody", wakeUpFault="status 404: no such function"),
                            binding("blind", groupReadable=False)])


def scaled(name, reason, because, known=True, stretch=-1, **found):
    up = reason == "sustained"
    return {"namespace": "default", "name": name, "cluster": "kafka:9092",
            "consumerGroup": "workers", "topic": "orders",
            "verdict": {"known": known, "reason": reason, "because": because,
                        "state": "up" if up else "idle", "active": up,
                        "value": 6_100 if up else 0, "target": 500,
                        "sustainSeconds": 120, "sampleTime": 1_700_000_000},
            "found": {"lag": 61_022, "highestLag": 5_230, "longestStretchSeconds": stretch,
                      "partitions": 12, "over": 0, "sustained": 0, "draining": 0, "stuck": 0,
                      "unknown": 0, **found}}


def scale():
    return common(
        "scale", clusters=[{"cluster": "kafka:9092", "fault": None, "objects": 4,
                            "samplingIntervalSeconds": 10.0, "samples": 400,
                            "sampleSeconds": 0.02}],
        objects=[scaled("orders", "sustained", "orders[3] has been over 500 for 2m10s; 5230 wait "
                        "in it, 61022 in all", stretch=130, over=3, sustained=1),
                 scaled("returns", "short", "orders[1] has been over 500 for 40s, less than the 2m "
                        "that make it last", stretch=40, highestLag=700, over=1),
                 scaled("calm", "calm", "no partition is over 500", highestLag=20, lag=40),
                 scaled("blind", "away", "no partition could be read for 40s", known=False,
                        unknown=12)], objectsLeftOff=0)


MODES = {"invoke": invoke, "watch": watch, "scale": scale}
