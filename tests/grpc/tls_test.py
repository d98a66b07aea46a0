"""Certificates of the server and of its clients."""

import os
import shutil
import socket
import ssl
import subprocess
import tempfile
import unittest

import grpc

from harness import (Client, PATIENCE, Server, ServerCase, deafened_server, flood,
                     make_certificates, read, ref)


class Tls(ServerCase):
    mutual = False

    @classmethod
    def setUpClass(cls):
        cls.made = tempfile.mkdtemp()
        make_certificates(cls.made)

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.made)

    def setUp(self):
        self.folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.folder)
        for name in os.listdir(self.made):
            shutil.copy(os.path.join(self.made, name), self.folder)
        self.options = ("--grpc_cert_file=" + self.path("server.pem"),
                        "--grpc_key_file=" + self.path("server.key"))
        if self.mutual:
            self.options += ("--grpc_client_ca_file=" + self.path("ca.pem"),)
        self.server = Server(*self.options)
        self.addCleanup(self.stop)

    def path(self, name):
        return os.path.join(self.folder, name)

    def credentials(self, authority="ca", client=None):
        return grpc.ssl_channel_credentials(
            read(self.folder, authority + ".pem"),
            read(self.folder, client + ".key") if client else None,
            read(self.folder, client + ".pem") if client else None)

    def assertAnswered(self, credentials):
        self.assertFalse(self.connect(credentials).active(object="orders"))

    def assertTurnedAway(self, credentials):
        client = self.connect(credentials)
        with self.assertRaises(grpc.RpcError) as raised:
            client.IsActive(ref(), timeout=PATIENCE)
        self.assertEqual(raised.exception.code(), grpc.StatusCode.UNAVAILABLE)


class Server_(Tls):

    def test_a_client_that_trusts_it_is_answered(self):
        self.assertAnswered(self.credentials())
        self.assertTrue(self.server.await_log("(TLS)"))

    def test_a_client_that_does_not_is_not(self):
        self.assertTurnedAway(self.credentials("stranger"))
        self.assertTurnedAway(None)
        self.assertAnswered(self.credentials())

    def test_the_key_may_be_in_the_certificate_s_file(self):
        server = Server("--grpc_cert_file=" + self.path("both.pem"))
        client = Client(server.port, self.credentials())
        self.assertFalse(client.active(object="orders"))
        client.close()
        self.assertEqual(server.stop(), 0)

    def shown(self):
        """The certificate that a new connection is shown."""
        context = ssl.create_default_context(cafile=self.path("ca.pem"))
        context.set_alpn_protocols(["h2"])
        with socket.create_connection(("localhost", self.server.port), PATIENCE) as plain, \
                context.wrap_socket(plain, server_hostname="localhost") as connection:
            return dict(pair for name in connection.getpeercert()["subject"] for pair in name)[
                "commonName"]

    def put(self, name, content_of):
        """As Kubernetes does: another file under the name."""
        shutil.copy(self.path(content_of), self.path("fresh"))
        os.rename(self.path("fresh"), self.path(name))

    def test_renewed_certificates_are_taken_up(self):
        old = self.connect(self.credentials())
        self.assertFalse(old.active(object="orders"))
        self.assertEqual(self.shown(), "server")
        self.put("server.pem", "renewed.pem")
        self.put("server.key", "renewed.key")
        self.assertEqual(self.shown(), "renewed")
        self.assertFalse(old.active(object="orders"))

    def test_those_before_stay_while_new_ones_cannot_be_used(self):
        self.put("server.pem", "junk.pem")
        self.assertEqual(self.shown(), "server")
        os.remove(self.path("server.pem"))
        self.assertEqual(self.shown(), "server")
        self.assertTrue(self.server.await_log("cannot read"))
        self.put("server.pem", "renewed.pem")  # its key comes later
        self.assertEqual(self.shown(), "server")
        self.put("server.key", "renewed.key")
        self.assertEqual(self.shown(), "renewed")

    def test_it_is_opened_again_with_the_certificate_that_it_had(self):
        server = deafened_server(*self.options)
        flood(server.port)
        self.assertTrue(server.await_log("it is opened again"))
        client = Client(server.port, self.credentials())
        self.assertFalse(client.active(object="orders"))
        client.close()
        self.assertEqual(server.stop(), 0, server.log)

    def assertFault(self, text, *options):
        ended = subprocess.run([os.environ["GRPC_SERVER"], "--grpc_listen=127.0.0.1:0", *options],
                               capture_output=True, text=True, timeout=PATIENCE, env={})
        self.assertEqual(ended.returncode, 2, ended.stderr)
        self.assertIn(text, ended.stderr)

    def test_files_that_cannot_be_used_are_faults_at_the_start(self):
        cert, key = "--grpc_cert_file=", "--grpc_key_file="
        self.assertFault("grpc_cert_file: %s holds no CERTIFICATE" % self.path("junk.pem"),
                         cert + self.path("junk.pem"), key + self.path("server.key"))
        self.assertFault("holds no PRIVATE KEY in PEM; grpc_key_file", cert + self.path("server.pem"))
        self.assertFault("grpc_key_file: it needs grpc_cert_file", key + self.path("server.key"))
        self.assertFault("grpc_client_ca_file: it needs grpc_cert_file",
                         "--grpc_client_ca_file=" + self.path("ca.pem"))
        self.assertFault("with the certificate and the key that it was given",
                         cert + self.path("server.pem"), key + self.path("client.key"))


class Mutual(Tls):
    mutual = True

    def test_a_client_with_a_certificate_of_the_authority_is_answered(self):
        self.assertAnswered(self.credentials(client="client"))
        self.assertTrue(self.server.await_log("(mutual TLS)"))

    def test_a_client_without_is_turned_away(self):
        self.assertTurnedAway(self.credentials())

    def test_a_client_with_another_s_is_turned_away(self):
        self.assertTurnedAway(self.credentials(client="stranger"))


del Tls  # it has no tests of its own

if __name__ == "__main__":
    unittest.main()
