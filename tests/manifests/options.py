"""options.py BUILD FILE...: what the files of setup/ set for our programs - environment, arguments,
settings files - are options that the programs have, by what they print of themselves; and the
program finds no fault in the values."""
import os
import re
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor

import yaml

build = sys.argv[1]
faults = []
checks = [] # of values, begun: they wait for brokers that are not there
workers = ThreadPoolExecutor(16)
# of the container, not of the program
NOT_OURS = {"RATE"}


def help_of(program, *arguments):
    return subprocess.run([f"{build}/{program}", *arguments], check=True, capture_output=True,
                          text=True).stdout


def names_of(mode):
    """Patterns of the names of a mode's options: letters of any case where a name has __, a number
    for N, any property behind kafka_."""
    names = ["mode", r"kafka_\w+", "X"]
    rows = re.findall(r"^\| `(\w+)` \|[^|]*\|(.*)\|$", help_of("kafka-connector", mode, "--help=markdown"), re.M)
    for name, text in rows:
        also = re.search(r"Also ([\w, ]+)\.\s*$", text)
        names += [name] + (also[1].split(", ") if also else [])
    names += [alias + name[len("SlimFaasKafka__Bindings"):] for name in names
              if name.startswith("SlimFaasKafka__Bindings__") for alias in ["SlimKafka__Bindings"]]
    return [re.compile(name.replace("__N__", r"__\d+__"), re.I if "__" in name else 0)
            for name in names]


def flags_of_producer():
    return [re.compile(name) for name in re.findall(r"^  --?(\w+)", help_of("producer", "--help"), re.M)]


def check_names(place, kind, names, given):
    for name in given:
        if name not in NOT_OURS and not any(pattern.fullmatch(name) for pattern in names):
            faults.append(f"{place}: {kind} {name} is no option")


def flags(arguments):
    return [re.match(r"--?([\w-]+)", argument)[1].replace("-", "_") for argument in arguments
            if argument.startswith("-") and not argument.startswith("-X")]


def make_certificate(folder):
    os.makedirs(folder, exist_ok=True)
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                    "-nodes", "-subj", "/CN=kafka", "-days", "1", "-keyout", f"{folder}/tls.key",
                    "-out", f"{folder}/tls.crt"], check=True, capture_output=True)
    shutil.copy(f"{folder}/tls.crt", f"{folder}/ca.crt")


def run_check(place, mode, environment, arguments, settings):
    """The program's own verdict on the values: status 2. Files that are named exist."""
    with tempfile.TemporaryDirectory() as folder:
        def here(text):
            return re.sub(r"(?<![\w/])(/(?:run/)?(?:secrets|settings|certs|tls)\b)", folder + r"\1", text)

        def place_file(path, content="a-secret\n"):
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "w", encoding="utf-8") as file:
                file.write(content)

        for secret in ("gateway/basic-auth-user", "gateway/basic-auth-password", "kafka/password",
                       "token/token"):
            place_file(f"{folder}/secrets/{secret}")
        for secret in ("basic-auth-user", "basic-auth-password", "kafka-connector-token"):
            place_file(f"{folder}/run/secrets/{secret}")
        for place_of in ("tls", "secrets/kafka"):
            make_certificate(f"{folder}/{place_of}")
        for name, content in settings.items():
            place_file(f"{folder}/settings/{name}", here(content))
        ended = subprocess.run(
            [f"{build}/kafka-connector", "check", mode, *map(here, arguments)],
            env={name: here(value) for name, value in environment.items()}, capture_output=True,
            text=True, timeout=300, check=False)
        if ended.returncode not in (0, 1):
            faults.append(f"{place}: {ended.stderr.replace(folder, '').strip()}")


def check_container(place, command, arguments, environment, settings):
    if command == ["producer"]:
        check_names(place, "flag", flags_of_producer(), flags(arguments))
        return
    mode = environment.get("mode", arguments[0] if arguments and arguments[0][0] != "-" else "invoke")
    names = names_of(mode)
    check_names(place, "environment", names, environment)
    check_names(place, "flag", names, flags(arguments))
    checks.append(workers.submit(run_check, place, mode, environment, arguments[1:], settings))


def ours(image):
    return re.match(r"(\$\{IMAGE:-)?kafka-connector\b", image)


def check_compose(path, document):
    for name, service in document["services"].items():
        if ours(service.get("image", "")):
            check_container(f"{path}: {name}", service.get("entrypoint"), service.get("command", []),
                            {key: str(value) for key, value in service.get("environment", {}).items()}, {})
        elif "image" not in service: # it adds to another file's service
            check_container(f"{path}: {name}", None, [], service.get("environment", {}), {})


def check_kubernetes(path, documents):
    settings = {}
    for document in documents:
        if document["kind"] == "ConfigMap":
            settings.update(document["data"])
    for document in documents:
        pod = document.get("spec", {}).get("template", {}).get("spec", {})
        for container in pod.get("containers", []):
            if ours(container["image"]):
                check_container(f"{path}: {document['kind']} {document['metadata']['name']}",
                                container.get("command"), container.get("args", []),
                                {item["name"]: item.get("value", "") for item in container.get("env", [])},
                                settings)


def check_environment_file(path):
    with open(path, encoding="utf-8") as file:
        pairs = re.findall(r"^#?(\w+)=(.*)$", file.read(), re.M)
    check_names(path, "environment", names_of("invoke"), [name for name, _ in pairs])


for path in sys.argv[2:]:
    with open(path, encoding="utf-8") as file:
        documents = [document for document in yaml.safe_load_all(file) if document]
    if "services" in documents[0]:
        check_compose(path, documents[0])
    else:
        check_kubernetes(path, documents)
check_environment_file("setup/systemd/kafka-connector.env")
for check in checks:
    check.result()
print("\n".join(faults))
sys.exit(1 if faults else 0)
