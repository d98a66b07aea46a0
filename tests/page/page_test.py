"""page_test: the status page in Chromium: with the shipped programs, and with a stub whose status
is ours. Screenshots go to the folder that is the first argument."""
import os
import re
import sys
import tempfile
import unittest

import samples
from browser import Browser, await_true
from programs import PAGE, Demo, Stub, free_port

SHOTS = os.path.abspath(sys.argv.pop(1))

# What is drawn, as a person reads it.
TEXT = "return document.body.innerText"
HEADLINE = "return document.getElementById('headline').textContent"


class PageTest(unittest.TestCase):
    """Each test has a browser of its own; at its end nothing may have gone wrong in the page, and
    nothing may have been asked of anybody but the server it came from."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.browser = Browser(self.folder)
        self.addCleanup(self.browser.close)
        self.browser.size(1280, 900)
        self.unreachable = False  # the server was away for a while: Chromium says so by itself

    def open(self, url):
        self.browser.console(), self.browser.requests()  # those of the empty window
        self.origin = url
        self.browser.open(url)

    def tearDown(self):
        lines = [line for line in self.browser.console()
                 if not (self.unreachable and "net::ERR_" in line)]
        self.assertEqual(lines, [])
        asked = set(self.browser.requests())
        self.assertIn(self.origin + "status", asked)
        others = {url for url in asked if not url.startswith((self.origin, "data:"))}
        self.assertEqual(others, set())

    def text(self):
        return self.browser.run(TEXT)

    def await_text(self, *parts):
        await_true("the text %s" % (parts,), lambda: all(part in self.text() for part in parts),
                   lambda: "it is: %s" % self.text())

    def await_headline(self, start):
        await_true("the headline %s" % start,
                   lambda: self.browser.run(HEADLINE).startswith(start), self.text)

    def shoot(self, name):
        os.makedirs(SHOTS, exist_ok=True)
        self.browser.screenshot(os.path.join(SHOTS, name + ".png"))

    def cell(self, row, column):
        """The text below a column's name in the first row that begins so."""
        return self.browser.run("""
            const row = [...document.querySelectorAll('tbody tr')]
                            .find((line) => line.cells[0].textContent.startsWith(arguments[0]));
            const cell = row && [...row.cells].find((c) => c.dataset.name === arguments[1]);
            return cell ? cell.textContent : null;""", row, column)


class LiveTest(PageTest):
    def setUp(self):
        super().setUp()
        self.port = free_port()
        self.url = "http://127.0.0.1:%d/" % self.port

    def demo(self, *arguments):
        demo = Demo(self.folder, *arguments)
        self.addCleanup(demo.stop)
        return demo

    def test_shows_what_invoke_does_and_survives_its_restart(self):
        demo = self.demo()
        first = demo.connector(self.port, group="page")
        self.open(self.url)
        self.await_headline("All is well")
        demo.send("texts", 30)
        await_true("30 calls of count", lambda: self.cell("count", "Done") == "30", self.text)
        self.await_text("greetings", "shout", "also on 1 other topic", "In flight")
        demo.send("greetings", 12)
        await_true("42 of shout", lambda: self.cell("shout", "Done") == "42", self.text)
        self.shoot("live-invoke")

        self.assertEqual(first.stop(), 0)
        self.unreachable = True
        self.await_headline("Not reachable since")
        self.await_text("Asked again")
        self.shoot("live-away")
        second = demo.connector(self.port, group="page")
        self.addCleanup(second.stop)
        self.await_headline("All is well")
        demo.send("texts", 5)
        await_true("5 since the restart", lambda: self.cell("count", "Done") == "5", self.text)

    def test_says_why_it_is_not_ready(self):
        gone = free_port()
        demo = self.demo()
        connector = demo.connector(self.port, "--gateway_url=http://127.0.0.1:%d" % gone)
        self.addCleanup(connector.stop)
        self.open(self.url)
        self.await_text("Not ready: the gateway has not told its functions yet",
                        "No record is taken before they are.")

    def test_shows_what_watch_does(self):
        demo = self.demo("--asleep")
        binding = "SlimFaasKafka__Bindings__0__"
        connector = demo.connector(self.port, "watch", Kafka__CheckIntervalSeconds="1",
                                   **{binding + "Topic": "texts", binding + "FunctionName": "count",
                                      binding + "ConsumerGroupId": "sleepers"})
        self.addCleanup(connector.stop)
        self.open(self.url)
        self.await_text("count", "texts, group sleepers", "may sleep")
        demo.send("texts", 7)
        self.await_text("7; 1 wake it", "records wait", "1 pending")
        self.shoot("live-watch")


    def test_shows_what_scale_does(self):
        demo = self.demo()
        connector = demo.connector(self.port, "scale", "--GRPC_PORT=%d" % free_port(),
                                   "--KAFKA_GROUP_ID=workers", "--KAFKA_TOPIC=texts",
                                   "--lagThreshold=5", "--sustainSeconds=3600",
                                   "--samplingInterval=1", "--offsetResetPolicy=earliest")
        self.addCleanup(connector.stop)
        self.open(self.url)
        self.await_text("The object without metadata", "texts, group workers")
        demo.send("texts", 60)
        self.await_text("Over 5 for", "1h make it last", "threshold 5", "Told to KEDA")
        self.shoot("live-scale")


class StubTest(PageTest):
    def setUp(self):
        super().setUp()
        self.stub = Stub()
        self.addCleanup(self.stub.stop)

    def show(self, status):
        """Opens the page on a status, or has an open one read it."""
        self.stub.status = status
        asked = self.stub.asked
        if not getattr(self, "origin", None):
            self.open(self.stub.url)
        await_true("that it is asked", lambda: self.stub.asked >= asked + 2)

    def test_looks_as_it_should_in_each_mode_scheme_and_width(self):
        for mode, sample in {**samples.MODES, "troubled": samples.troubled}.items():
            self.browser.size(1280, 900)
            self.show(sample())
            for scheme in ("light", "dark"):
                self.browser.scheme(scheme)
                self.shoot("%s-%s" % (mode, scheme))
                self.assertEqual(self.browser.run(FAINT), [], "%s, %s" % (mode, scheme))
            self.browser.size(360, 740, mobile=True)
            self.shoot("%s-phone" % mode)
            self.assertLessEqual(self.browser.run(WIDTH), 360, mode)

    def test_both_schemes_are_there(self):
        self.show(samples.invoke())
        ground = "return getComputedStyle(document.body).backgroundColor"
        self.browser.scheme("light")
        light = self.browser.run(ground)
        self.browser.scheme("dark")
        self.assertNotEqual(self.browser.run(ground), light)

    def test_hostile_text_stays_text(self):
        for mode, sample in {**samples.MODES, "troubled": samples.troubled}.items():
            self.show(hostile(sample()))
            self.assertIn(HOSTILE, self.text(), mode)
            self.assertEqual(self.browser.run(TAKEN_FOR_MARKUP), [None, 0], mode)
            for width in (1280, 360):
                self.browser.size(width, 900, mobile=width == 360)
                self.assertLessEqual(self.browser.run(WIDTH), width, mode)

    def test_says_what_is_wrong(self):
        self.show(samples.troubled())
        self.assertRegex(self.browser.run(HEADLINE), r"\d things need attention")
        for part in ("Not ready: waiting for the group", "has not been reached for 1m15s",
                     "cannot be read: no connection", "cannot be committed: no member any more",
                     "cannot be written: no such topic", "audit has been away for 3m20s",
                     "3 records are held", "returns is paused by hand", "No topic any more",
                     "orders[3] is full and waits", "returns[0] is full and waits"):
            self.assertIn(part, self.text())
        self.assertEqual(self.cell("2", "Lag"), "not known")
        self.show(samples.invoke())
        self.await_headline("All is well")

    def test_what_is_no_status_is_as_if_nobody_were_there(self):
        self.show(samples.invoke())
        self.await_headline("All is well")
        self.show("<p>a proxy's page</p>")
        self.await_headline("Not reachable since")
        self.show(samples.invoke())
        self.await_headline("All is well")

    def test_a_mode_that_it_does_not_know_is_no_fault(self):
        self.show(samples.common("another"))
        self.await_headline("All is well")

    def test_works_by_keyboard(self):
        status = samples.invoke(topics=["topic-%d" % n for n in range(9)], partitions=40)
        self.show(status)
        self.await_text("Show all 40 partitions")
        seen = []
        for _ in range(14):
            self.browser.press("Tab")
            seen.append(self.browser.run(FOCUSED))
        self.assertTrue(all(stop["ring"] for stop in seen), seen)
        names = [stop["name"] for stop in seen]
        self.assertEqual(names[:2], ["To the status", "input"])
        self.assertIn("Show all 40 partitions", names)
        self.assertIn("status", names)
        self.browser.run("document.querySelector('article button').focus()")
        self.browser.press("Enter")
        self.await_text("Show fewer")
        rows = "return document.querySelectorAll('article')[0].querySelectorAll('tbody tr').length"
        self.assertEqual(self.browser.run(rows), 2 + 40)
        self.show(status)  # drawn again: the focus stays
        self.assertEqual(self.browser.run(FOCUSED)["name"], "Show fewer")

    def test_finds_one_of_many(self):
        self.show(samples.invoke(topics=["topic-%d" % n for n in range(9)]))
        cards = "return [...document.querySelectorAll('h3')].map((e) => e.textContent)"
        self.assertEqual(len(self.browser.run(cards)), 9)
        self.browser.run("const field = document.querySelector('input'); field.value = 'C-7';"
                         "field.dispatchEvent(new Event('input', {bubbles: true}))")
        self.assertEqual(self.browser.run(cards), ["topic-7"])

    def test_many_partitions_are_drawn_in_time(self):
        self.show(samples.invoke(topics=["topic-%d" % n for n in range(100)], partitions=100))
        self.show(self.stub.status)
        cards = "return document.querySelectorAll('article').length"
        self.assertEqual(self.browser.run(cards), 100)

    def test_plots_what_it_has_seen(self):
        self.show(samples.invoke())
        line = "return document.querySelector('.plot svg').children[1].getAttribute('d')"
        first = self.browser.run(line)
        self.show(samples.invoke())
        self.assertGreater(self.browser.run(line).count("L"), first.count("L"))
        self.assertIn("at most", self.browser.run(
            "return document.querySelector('.plot svg').getAttribute('aria-label')"))


class FilesTest(unittest.TestCase):
    def test_is_small_and_names_nobody_else(self):
        size = 0
        for name in os.listdir(PAGE):
            with open(os.path.join(PAGE, name), encoding="utf-8") as file:
                text = file.read()
            size += len(text.encode())
            hosts = set(re.findall(r"https?://[^'\"/]*", text))
            self.assertEqual(hosts - {"http://www.w3.org"}, set())
            self.assertNotRegex(text, r"innerHTML|outerHTML|insertAdjacent|document\.write|eval\(")
        self.assertLess(size, 100 * 1000)


# What it is now wider than the window by, if it is.
WIDTH = "return document.documentElement.scrollWidth"

# What has the focus, and whether one sees that.
FOCUSED = """
const at = document.activeElement, style = getComputedStyle(at), box = at.getBoundingClientRect();
return {name: at.textContent.trim().slice(0, 40) || at.localName,
        ring: style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2 &&
              box.width > 0 && box.left >= 0 && box.top < innerHeight};"""

# Texts with less contrast than WCAG's AA asks of small ones, 4.5 to 1.
FAINT = """
const channels = (colour) => colour.match(/[\\d.]+/g).map(Number);
const luminance = ([r, g, b]) => {
    const linear = (c) => c <= .04045 ? c / 12.92 : ((c + .055) / 1.055) ** 2.4;
    const [x, y, z] = [r, g, b].map((c) => linear(c / 255));
    return .2126 * x + .7152 * y + .0722 * z;
};
const ground = (element) => {
    for (; element; element = element.parentElement) {
        const colour = channels(getComputedStyle(element).backgroundColor);
        if (colour.length < 4 || colour[3] > 0) return colour;
    }
    return [255, 255, 255];
};
const faint = [];
for (const element of document.querySelectorAll('body *')) {
    const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
    if (!own || !element.checkVisibility() || element.localName === 'script') continue;
    const a = luminance(channels(getComputedStyle(element).color)), b = luminance(ground(element));
    const ratio = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
    if (ratio < 4.5) faint.push(`${element.textContent.slice(0, 30)}: ${ratio.toFixed(2)}`);
}
return faint;"""

TAKEN_FOR_MARKUP = """
return [window.hit, document.querySelectorAll('img, main script, iframe').length];"""

HOSTILE = "<img src=x onerror=hit=1><script>hit=1</script>" + "x" * 200

# These say what a thing is, not what it is called.
WORDS = {"mode", "state", "gateway", "awakeBecause", "invocation", "reason"}


def hostile(value, name=None):
    """A status with each text in it such."""
    if isinstance(value, dict):
        return {key: hostile(item, key) for key, item in value.items()}
    if isinstance(value, list):
        return [hostile(item, name) for item in value]
    return HOSTILE + value if isinstance(value, str) and name not in WORDS else value


if __name__ == "__main__":
    unittest.main(verbosity=2)
