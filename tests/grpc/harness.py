"""What the tests of the gRPC server stand on: the server, clients, certificates.

The server is a process of its own with a scripted scaler (tests/grpc/scripted_scaler.h): the tests
tell it by metadata what to answer. Clients are grpcio's; the messages are read from the .proto
files by protoc-c, so that no code needs to be made for Python.
"""

import os
import re
import resource
import signal
import socket
import subprocess
import tempfile
import threading
import time
import unittest

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

PATIENCE = 60  # seconds; what is waited for comes at once on a machine that is not loaded
SCALER = "externalscaler.ExternalScaler"
HEALTH = "grpc.health.v1.Health"

# No proxy of the environment is asked the way to the loopback.
CHANNEL_OPTIONS = [("grpc.enable_http_proxy", 0), ("grpc.use_local_subchannel_pool", 1)]


def read_protos():
    pool = descriptor_pool.DescriptorPool()
    for name in "externalscaler", "health", "reflection":
        with tempfile.NamedTemporaryFile() as file:
            subprocess.run(
                ["protoc-c", "--proto_path=connector", "--descriptor_set_out=" + file.name,
                 "connector/scale/%s.proto" % name], check=True)
            described = descriptor_pb2.FileDescriptorSet.FromString(file.read())
            pool.Add(described.file[0]) if hasattr(pool, "Add") else pool.AddSerializedFile(
                described.file[0].SerializeToString())
    return pool


POOL = read_protos()


def message(name):
    descriptor = POOL.FindMessageTypeByName(name)
    if hasattr(message_factory, "GetMessageClass"):
        return message_factory.GetMessageClass(descriptor)
    return message_factory.MessageFactory(POOL).GetPrototype(descriptor)


ScaledObjectRef = message("externalscaler.ScaledObjectRef")
GetMetricsRequest = message("externalscaler.GetMetricsRequest")
HealthCheckRequest = message("grpc.health.v1.HealthCheckRequest")


def ref(**metadata):
    return ScaledObjectRef(name="test", namespace="default", scalerMetadata=metadata)


class Client:
    """A channel to a server and its methods, each as the .proto files say."""

    def __init__(self, port, credentials=None, options=()):
        address = "localhost:%d" % port if credentials else "127.0.0.1:%d" % port
        options = CHANNEL_OPTIONS + list(options)
        self.channel = (grpc.secure_channel(address, credentials, options) if credentials else
                        grpc.insecure_channel(address, options))
        for service in SCALER, HEALTH, "grpc.reflection.v1.ServerReflection":
            for method in POOL.FindServiceByName(service).methods:
                setattr(self, method.name, self.method(service, method))

    def method(self, service, method, path=None):
        described = POOL.FindServiceByName(service)
        file = descriptor_pb2.FileDescriptorProto()
        described.file.CopyToProto(file)
        streams = {m.name: m for s in file.service for m in s.method}[method.name]
        kind = ("stream" if streams.client_streaming else "unary") + "_" + (
            "stream" if streams.server_streaming else "unary")
        return getattr(self.channel, kind)(
            path or "/%s/%s" % (service, method.name),
            request_serializer=lambda request: request.SerializeToString(),
            response_deserializer=message(method.output_type.full_name).FromString)

    def active(self, **metadata):
        return self.IsActive(ref(**metadata), timeout=PATIENCE, wait_for_ready=True).result

    def set(self, name, **metadata):
        """Tells the scripted scaler an object's state; a fault it was told to answer is no fault."""
        try:
            self.active(set=name, **metadata)
        except grpc.RpcError as error:
            if error.details() != "as it was told":
                raise

    def watchers(self):
        answer = self.GetMetrics(GetMetricsRequest(scaledObjectRef=ref(watchers="")),
                                 timeout=PATIENCE, wait_for_ready=True)
        return answer.metricValues[0].metricValue

    def close(self):
        self.channel.close()


class Server:
    """build/.../tests/grpc/server, on a free port."""

    def __init__(self, *options, environment=None, limits=None):
        self.process = subprocess.Popen(
            [os.environ["GRPC_SERVER"], "--grpc_listen=127.0.0.1:0", *options],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, preexec_fn=limits,
            env={"PATH": os.environ["PATH"], **(environment or {})})
        self.log = ""
        self.log_changed = threading.Condition()
        self.reader = threading.Thread(target=self.read_log)
        self.reader.start()
        line = self.process.stdout.readline()
        self.port = int(line.split()[1]) if line else None

    def read_log(self):
        for line in self.process.stderr:
            with self.log_changed:
                self.log += line
                self.log_changed.notify_all()

    def await_log(self, text):
        with self.log_changed:
            return self.log_changed.wait_for(lambda: text in self.log, PATIENCE)

    def metrics(self):
        """By sample: 'kafka_connector_grpc_refused_total' or 'name{method="..."}'."""
        self.process.send_signal(signal.SIGUSR1)
        samples = {}
        for line in self.process.stdout:
            if line.startswith("# end"):
                return samples
            if not line.startswith("#"):
                name, value = line.rsplit(" ", 1)
                samples[name] = float(value)
        raise AssertionError("the server ended: " + self.log)

    def resident_kib(self):
        with open("/proc/%d/status" % self.process.pid) as status:
            return int(re.search(r"VmRSS:\s+(\d+)", status.read()).group(1))

    def stop(self):
        """Its exit status."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.reader.join()
        self.process.stdout.close()
        self.process.stderr.close()
        return self.process.returncode


def deafened_server(*options):
    """One that has few descriptors, on a port that stays its own when it is opened again."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    server = Server("--grpc_listen=127.0.0.1:%d" % port, *options,
                    limits=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64)))
    server.port = port
    return server


def flood(port):
    """Connections enough to use them up."""
    connections = []
    try:
        for _ in range(100):
            connections.append(socket.create_connection(("127.0.0.1", port)))
    except OSError:
        pass  # it is being opened again
    for connection in connections:
        connection.close()


def await_true(holds, patience=PATIENCE):
    end = time.monotonic() + patience
    while not holds():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


class ServerCase(unittest.TestCase):
    """A server, and a client of it, for each test; the server must end well."""

    options = ()

    def setUp(self):
        self.server = Server(*self.options)
        self.addCleanup(self.stop)
        self.client = self.connect()

    def connect(self, credentials=None, options=()):
        client = Client(self.server.port, credentials, options)
        self.addCleanup(client.close)
        return client

    def stop(self):
        self.assertEqual(self.server.stop(), 0, self.server.log)

    def assertStatus(self, status, text, call, *arguments, **named):
        with self.assertRaises(grpc.RpcError) as raised:
            result = call(*arguments, timeout=PATIENCE, **named)
            if hasattr(result, "__next__"):
                list(result)
        self.assertEqual(raised.exception.code(), status, raised.exception)
        self.assertIn(text, raised.exception.details())


CERTIFICATES = r"""
set -e
make() { # NAME ARGUMENT...
    name=$1; shift
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 \
        -addext keyUsage=keyCertSign,digitalSignature -subj "/CN=$name" -keyout $name.key -out $name.pem "$@"
}
make ca
make stranger
make client -CA ca.pem -CAkey ca.key
make server -CA ca.pem -CAkey ca.key -addext subjectAltName=DNS:localhost
make renewed -CA ca.pem -CAkey ca.key -addext subjectAltName=DNS:localhost
cat server.pem server.key >both.pem
echo 'not a certificate' >junk.pem
"""


def make_certificates(folder):
    """ca signs client, server and renewed; stranger is signed by nobody."""
    subprocess.run(["sh", "-c", CERTIFICATES], cwd=folder, check=True, stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL)


def read(folder, name):
    with open(os.path.join(folder, name), "rb") as file:
        return file.read()
