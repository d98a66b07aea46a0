"""Clients that do what they should not: the server goes on for the others, and stays small."""

import os
import random
import socket
import threading
import unittest

import grpc

import raw
from harness import Client, PATIENCE, ServerCase, await_true, deafened_server, flood, ref

IS_ACTIVE = "/externalscaler.ExternalScaler/IsActive"
STREAM_IS_ACTIVE = "/externalscaler.ExternalScaler/StreamIsActive"


class Bounds(ServerCase):
    options = ("--grpc_max_calls=20", "--grpc_max_streams=10")

    def refused(self):
        return self.server.metrics()["kafka_connector_grpc_refused_total"]

    def test_one_stream_too_many_is_refused_and_calls_are_not(self):
        streams = [self.client.StreamIsActive(ref()) for _ in range(10)]
        for stream in streams:
            next(stream)
        self.assertStatus(grpc.StatusCode.RESOURCE_EXHAUSTED, "as many streams as may be",
                          self.client.StreamIsActive, ref())
        self.assertFalse(self.client.active())
        self.assertEqual(self.refused(), 1)
        streams[0].cancel()
        self.assertTrue(await_true(lambda: self.client.watchers() == 9))
        again = self.client.StreamIsActive(ref())
        self.assertFalse(next(again).result)

    def test_calls_whose_request_does_not_come_are_let_go(self):
        """One more is refused meanwhile. It takes the half a minute that a request may take."""
        connection = raw.Connection(self.server.port)
        self.addCleanup(connection.close)
        for call in range(20):
            connection.call(2 * call + 1, IS_ACTIVE)
        self.assertTrue(await_true(lambda: self.server.metrics()[
            'kafka_connector_grpc_open{method="externalscaler.ExternalScaler/IsActive"}'] == 20))
        self.assertStatus(grpc.StatusCode.RESOURCE_EXHAUSTED, "as many calls as may be",
                          self.client.IsActive, ref())
        self.assertTrue(await_true(self.is_answered, 2 * PATIENCE))

    def is_answered(self):
        try:
            return not self.client.IsActive(ref(), timeout=PATIENCE).result
        except grpc.RpcError as error:
            self.assertEqual(error.code(), grpc.StatusCode.RESOURCE_EXHAUSTED)
            return False


class Deaf(ServerCase):
    """gRPC listens no longer once it had no descriptor left for a connection."""

    def setUp(self):
        self.server = deafened_server()
        self.addCleanup(self.stop)

    def test_it_is_opened_again_when_the_descriptors_were_used_up(self):
        for _ in range(3):
            flood(self.server.port)
            self.assertTrue(await_true(self.is_answered))
        self.assertIn("Failed accept4: Too many open files", self.server.log)
        self.assertIn("it is opened again", self.server.log)

    def is_answered(self):
        client = Client(self.server.port)
        try:
            return not client.IsActive(ref(), timeout=2).result
        except grpc.RpcError:
            return False
        finally:
            client.close()


class Abuse(ServerCase):

    def test_connections_that_say_nothing_hold_up_nobody(self):
        silent = [socket.create_connection(("127.0.0.1", self.server.port)) for _ in range(200)]
        half = socket.create_connection(("127.0.0.1", self.server.port))
        half.sendall(raw.PREFACE[:10])
        self.assertFalse(self.client.active(object="orders"))
        self.assertEqual(self.server.stop(), 0)
        for connection in silent + [half]:
            connection.close()

    def test_garbage_is_cut_off(self):
        chance = random.Random(1)
        garbage = [b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"\x16\x03\x01\x02\x00\x01" + b"x" * 512,
                   bytes(64) * 1024,
                   raw.PREFACE + raw.frame(raw.HEADERS, raw.END_HEADERS, 1, b"\xff" * 64),
                   raw.PREFACE + raw.frame(raw.DATA, 0, 7, b"x"),
                   raw.PREFACE + b"\xff\xff\xff" + raw.frame(raw.SETTINGS, 0, 0)[3:],
                   raw.PREFACE + raw.frame(raw.SETTINGS, 0, 0, b"odd")]
        garbage += [raw.PREFACE + raw.frame(raw.SETTINGS, 0, 0) + chance.randbytes(200)
                    for _ in range(100)]
        for bytes_sent in garbage:
            with socket.create_connection(("127.0.0.1", self.server.port)) as connection:
                connection.sendall(bytes_sent)
                connection.shutdown(socket.SHUT_WR)
                connection.settimeout(PATIENCE)
                try:
                    while connection.recv(65536):
                        pass
                except ConnectionResetError:
                    pass
        self.assertFalse(self.client.active(object="orders"))

    def test_of_a_client_that_never_reads_the_newest_state_is_kept(self):
        connection = raw.Connection(self.server.port, window=0)
        request = ref(object="orders").SerializeToString()
        connection.call(1, STREAM_IS_ACTIVE, request)
        self.assertTrue(await_true(lambda: self.client.watchers() == 1))
        before = self.server.resident_kib()
        for _ in range(10):
            self.client.set("orders", times="100000")
        self.client.set("orders", active="true")
        if "address" not in os.environ["GRPC_SERVER"]:  # which keeps what is freed
            self.assertLess(self.server.resident_kib() - before, 4096)
        connection.open_window(1, 1000)
        self.assertEqual(connection.read_data(), b"\0\0\0\0\0", "the first, which was on its way")
        self.assertEqual(connection.read_data(), b"\0\0\0\0\2\x08\x01", "the newest")
        connection.close()
        self.assertTrue(await_true(lambda: self.client.watchers() == 0))

    def test_calls_cancelled_at_any_moment_leave_nothing_behind(self):
        chance = random.Random(2)
        for _ in range(2000):
            if chance.random() < 0.5:
                call = self.client.IsActive.future(ref(), timeout=PATIENCE)
                wait = call.result
            else:
                call = self.client.StreamIsActive(ref(), timeout=PATIENCE)
                wait = call.__next__
            if chance.random() < 0.3:
                wait()
            call.cancel()
        self.assertTrue(await_true(lambda: self.client.watchers() == 0))
        self.assertTrue(await_true(self.nothing_is_open))

    def nothing_is_open(self):
        return not any(value for name, value in self.server.metrics().items()
                       if name.startswith("kafka_connector_grpc_open"))

    def test_clients_at_once(self):
        def ask(faults):
            client = self.connect()
            try:
                for _ in range(100):
                    client.active(object="orders")
                    stream = client.StreamIsActive(ref(object="orders"))
                    next(stream)
                    stream.cancel()
            except grpc.RpcError as error:
                faults.append(error)

        faults = []
        threads = [threading.Thread(target=ask, args=(faults,)) for _ in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(faults, [])


if __name__ == "__main__":
    unittest.main()
