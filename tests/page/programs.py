"""programs: what the tests start, the shipped programs and a stub that answers a status of ours."""
import http.server
import json
import os
import socket
import subprocess
import threading

from browser import await_true

TOP = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
PAGE = os.path.join(TOP, "connector", "admin", "page")
BUILD = os.environ.get("BUILD") or os.path.join(TOP, "build", "release", "bin")


def free_port():
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return listening.getsockname()[1]


def listens(port):
    with socket.socket() as connection:
        return connection.connect_ex(("127.0.0.1", port)) == 0


class Program:
    """One of ours, its output in a file; ended by stop()."""

    def __init__(self, folder, name, *arguments, port=None, **environment):
        self.log = os.path.join(folder, "%s.log" % name)
        self.output = open(self.log, "ab")
        self.process = subprocess.Popen([os.path.join(BUILD, name), *arguments],
                                        stdin=subprocess.DEVNULL, stdout=self.output,
                                        stderr=self.output, env={**os.environ, **environment})
        if port:
            await_true("that %s listens" % name, lambda: listens(port), self.said)

    def said(self):
        with open(self.log, encoding="utf-8", errors="replace") as log:
            return "it said: %s" % log.read()[-4000:]

    def wait(self):
        status = self.process.wait()
        self.output.close()
        return status

    def stop(self):
        self.process.terminate()
        return self.wait()


class Demo:
    """The sandbox: brokers, and a gateway whose functions are programs."""

    FUNCTIONS = "count texts wc -w\nshout texts,greetings tr a-z A-Z\n"

    def __init__(self, folder, *arguments):
        self.folder = folder
        functions = os.path.join(folder, "functions")
        bootstrap = os.path.join(folder, "bootstrap")
        with open(functions, "w", encoding="utf-8") as file:
            file.write(self.FUNCTIONS)
        self.gateway = free_port()
        self.program = Program(folder, "sandbox", "--listen", "127.0.0.1:%d" % self.gateway,
                               "--functions", functions, "--bootstrap-file", bootstrap, *arguments)
        await_true("the sandbox", lambda: os.path.exists(bootstrap) and os.path.getsize(bootstrap),
                   self.program.said)
        with open(bootstrap, encoding="utf-8") as file:
            self.brokers = file.read().strip()

    def send(self, topic, count):
        assert Program(self.folder, "producer", "-broker", self.brokers, "-topic", topic,
                       "-messages=%d" % count).wait() == 0

    def connector(self, port, *arguments, **environment):
        return Program(self.folder, "kafka-connector", *arguments, port=port,
                       broker_host=self.brokers, gateway_url="http://127.0.0.1:%d" % self.gateway,
                       initial_offset="earliest", admin_listen="127.0.0.1:%d" % port, **environment)

    def stop(self):
        return self.program.stop()


def page_headers():
    """PAGE_HEADERS as page.h has them, so that the stub forbids what the program forbids."""
    with open(os.path.join(PAGE, "..", "page.h"), encoding="utf-8") as file:
        text = file.read().split("#define PAGE_HEADERS", 1)[1].split("\n\n", 1)[0]
    whole = "".join(text.split('"')[1::2]).replace("\\n", "\n")
    return [line.split(": ", 1) for line in whole.split("\n")]


class Stub(http.server.ThreadingHTTPServer):
    """The page's files, and the status that is set."""

    FILES = {"/": ("page.html", "text/html"), "/page.css": ("page.css", "text/css"),
             **{"/%s.js" % name: ("%s.js" % name, "text/javascript")
                for name in ("page", "modes", "parts")}}

    def __init__(self):
        self.status = {}
        self.asked = 0  # how often the status was
        super().__init__(("127.0.0.1", 0), StubAnswer)
        self.url = "http://127.0.0.1:%d/" % self.server_address[1]
        self.thread = threading.Thread(target=self.serve_forever, args=(0.05,))
        self.thread.start()

    def stop(self):
        self.shutdown()
        self.thread.join()
        self.server_close()


class StubAnswer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == "/status":
            text, kind = self.server.status, "application/json"
            body = (text if isinstance(text, str) else json.dumps(text)).encode()
            self.server.asked += 1
        elif self.path in Stub.FILES:
            name, kind = Stub.FILES[self.path]
            with open(os.path.join(PAGE, name), "rb") as file:
                body = file.read()
        else:
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Type", kind + "; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        for name, value in page_headers():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass
