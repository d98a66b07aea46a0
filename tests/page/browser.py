"""browser: Chromium without a window, driven over WebDriver by Debian's chromedriver.

Only the standard library is needed. Every request that a page makes and every line of its console
is kept: Browser.requests() and Browser.console() say what came since they were asked last.
"""
import base64
import json
import os
import subprocess
import time
import urllib.error
import urllib.request

PATIENCE_S = 60  # a loaded machine is slow


class Failure(Exception):
    pass


def await_true(what, condition, describe=lambda: ""):
    """Waits until a condition holds, and returns what it said."""
    end = time.monotonic() + PATIENCE_S
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise Failure("%s did not come about; %s" % (what, describe()))
        time.sleep(0.05)


def call(method, url, body=None):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"}, method=method)
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:
            return json.load(answer)["value"]
    except urllib.error.HTTPError as fault:
        raise Failure("%s: %s" % (url, fault.read().decode(errors="replace"))) from fault


class Browser:
    def __init__(self, folder):
        log = os.path.join(folder, "chromedriver.log")
        self.driver = subprocess.Popen(["chromedriver", "--port=0", "--log-path=" + log],
                                       stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        try:
            self.session = self._begin(folder)
        except Exception:
            self.close()
            raise

    def _begin(self, folder):
        for line in self.driver.stdout:  # "... started successfully on port 43215."
            if "successfully on port" in line:
                port = int("".join(filter(str.isdigit, line.rsplit("port", 1)[1])))
                break
        else:
            raise Failure("chromedriver ended at its start")
        arguments = ["--headless=new", "--disable-gpu", "--disable-dev-shm-usage",
                     "--hide-scrollbars", "--user-data-dir=" + os.path.join(folder, "profile")]
        if os.geteuid() == 0:
            arguments.append("--no-sandbox")  # Chromium's own does not start as root
        wanted = {"browserName": "chrome",
                  "goog:chromeOptions": {"args": arguments},
                  "goog:loggingPrefs": {"browser": "ALL", "performance": "ALL"}}
        base = "http://127.0.0.1:%d/session" % port
        session = call("POST", base, {"capabilities": {"alwaysMatch": wanted}})
        return base + "/" + session["sessionId"]

    def close(self):
        if getattr(self, "session", None):
            try:
                call("DELETE", self.session)
            except (Failure, OSError):
                pass
        self.driver.terminate()
        self.driver.wait()
        self.driver.stdout.close()

    def open(self, url):
        call("POST", self.session + "/url", {"url": url})

    def run(self, script, *arguments):
        """What a function body returns within the page."""
        return call("POST", self.session + "/execute/sync", {"script": script, "args": arguments})

    def press(self, key):
        self.devtools("Input.dispatchKeyEvent", type="keyDown", key=key, code=key,
                      windowsVirtualKeyCode={"Tab": 9, "Enter": 13}[key],
                      **({"text": "\r"} if key == "Enter" else {}))
        self.devtools("Input.dispatchKeyEvent", type="keyUp", key=key, code=key)

    def devtools(self, command, **parameters):
        return call("POST", self.session + "/goog/cdp/execute",
                    {"cmd": command, "params": parameters})

    def size(self, width, height, mobile=False):
        self.devtools("Emulation.setDeviceMetricsOverride", width=width, height=height,
                      deviceScaleFactor=1, mobile=mobile)

    def scheme(self, name):
        self.devtools("Emulation.setEmulatedMedia",
                      features=[{"name": "prefers-color-scheme", "value": name},
                                {"name": "prefers-reduced-motion", "value": "reduce"}])

    def screenshot(self, path):
        size = self.devtools("Page.getLayoutMetrics")["cssContentSize"]
        shot = self.devtools("Page.captureScreenshot", captureBeyondViewport=True,
                             clip={"x": 0, "y": 0, "width": size["width"], "height": size["height"],
                                   "scale": 1})
        with open(path, "wb") as file:
            file.write(base64.b64decode(shot["data"]))

    def _log(self, kind):
        return call("POST", self.session + "/se/log", {"type": kind})

    def console(self):
        return ["%s %s" % (entry["level"], entry["message"]) for entry in self._log("browser")]

    def requests(self):
        events = [json.loads(entry["message"])["message"] for entry in self._log("performance")]
        return [event["params"]["request"]["url"] for event in events
                if event["method"] == "Network.requestWillBeSent"]
