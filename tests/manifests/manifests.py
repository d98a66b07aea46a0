"""manifests.py RELEASE... -- FILE...: every document is what Kubernetes' schemas of these releases
take, those of KEDA and Prometheus' operator what theirs do, and every pod keeps our rules: nobody,
a read-only root, no capabilities, secrets only as files, probes, bounds, names that lead somewhere.
Files for Docker are passed over: docker reads them."""
import sys

import jsonschema
import kubernetes_validate
import yaml

STRINGS = {"type": "object", "additionalProperties": {"type": "string"}}
TRIGGER = {
    "type": "object", "required": ["type", "metadata"], "additionalProperties": False,
    "properties": {
        "type": {"type": "string"}, "name": {"type": "string"}, "metadata": STRINGS,
        "metricType": {"enum": ["AverageValue", "Value", "Utilization"]},
        "useCachedMetrics": {"type": "boolean"},
        "authenticationRef": {"type": "object", "required": ["name"]}}}
# What their definitions say of the fields that we use; any other field is a fault.
FOREIGN = {
    ("keda.sh/v1alpha1", "ScaledObject"): {
        "type": "object", "required": ["scaleTargetRef", "triggers"], "additionalProperties": False,
        "properties": {
            "scaleTargetRef": {"type": "object", "required": ["name"]},
            "pollingInterval": {"type": "integer"}, "cooldownPeriod": {"type": "integer"},
            "initialCooldownPeriod": {"type": "integer"}, "idleReplicaCount": {"type": "integer"},
            "minReplicaCount": {"type": "integer"}, "maxReplicaCount": {"type": "integer"},
            "advanced": {"type": "object"}, "fallback": {"type": "object"},
            "triggers": {"type": "array", "minItems": 1, "items": TRIGGER}}},
    ("keda.sh/v1alpha1", "TriggerAuthentication"): {
        "type": "object", "additionalProperties": False,
        "properties": {"secretTargetRef": {"type": "array", "items": {
            "type": "object", "required": ["parameter", "name", "key"]}}}},
    ("monitoring.coreos.com/v1", "ServiceMonitor"): {
        "type": "object", "required": ["selector", "endpoints"], "additionalProperties": False,
        "properties": {
            "selector": {"type": "object"},
            "endpoints": {"type": "array", "minItems": 1, "items": {
                "type": "object", "additionalProperties": False,
                "properties": {name: {"type": "string"} for name in
                               ("port", "path", "interval")}}}}},
}
PODS = {"Deployment", "StatefulSet", "DaemonSet", "Job"}
faults = []


def fault(place, what):
    faults.append(f"{place}: {what}")


def check_foreign(place, document):
    schema = FOREIGN.get((document["apiVersion"], document["kind"]))
    if schema is None:
        fault(place, f"no schema for {document['apiVersion']} {document['kind']}")
        return
    for error in jsonschema.Draft7Validator(schema).iter_errors(document.get("spec")):
        fault(place, f"spec.{'.'.join(map(str, error.path))}: {error.message}")


def check_schema(place, document, releases):
    if document["apiVersion"].split("/")[0] in ("keda.sh", "monitoring.coreos.com"):
        check_foreign(place, document)
        return
    for release in releases:
        try:
            kubernetes_validate.validate(document, release, strict=True)
        except kubernetes_validate.ValidationError as error:
            fault(place, f"Kubernetes {release}: {'.'.join(map(str, error.path))}: {error.message}")
        except kubernetes_validate.SchemaNotFoundError:
            fault(place, f"Kubernetes {release} has no {document['apiVersion']} {document['kind']}")


def expect(place, document, path, wanted):
    found = document
    for key in path.split("."):
        found = (found or {}).get(key)
    if found != wanted:
        fault(place, f"{path} is {found}, not {wanted}")


def check_container(place, pod, container, once):
    for path, wanted in (("securityContext.readOnlyRootFilesystem", True),
                         ("securityContext.allowPrivilegeEscalation", False),
                         ("securityContext.capabilities.drop", ["ALL"])):
        expect(place, container, path, wanted)
    if not container.get("resources", {}).get("limits", {}).get("memory"):
        fault(place, "no limit of memory")
    for probe in () if once else ("readinessProbe", "livenessProbe"):
        if probe not in container:
            fault(place, f"no {probe}")
    for variable in container.get("env", []):
        if "secretKeyRef" in variable.get("valueFrom", {}):
            fault(place, f"{variable['name']} is a secret in the environment")
    volumes = {volume["name"] for volume in pod.get("volumes", [])}
    for mount in container.get("volumeMounts", []):
        if mount["name"] not in volumes:
            fault(place, f"there is no volume {mount['name']}")
    check_ports(place, container)


def check_ports(place, container):
    names = {port.get("name") for port in container.get("ports", [])}
    for probe in ("readinessProbe", "livenessProbe", "startupProbe"):
        for kind in ("httpGet", "tcpSocket"):
            port = container.get(probe, {}).get(kind, {}).get("port")
            if isinstance(port, str) and port not in names:
                fault(place, f"{probe}: there is no port {port}")


def check_pod(place, document):
    pod = document["spec"]["template"]["spec"]
    for path, wanted in (("securityContext.runAsNonRoot", True),
                         ("securityContext.seccompProfile.type", "RuntimeDefault"),
                         ("automountServiceAccountToken", False), ("enableServiceLinks", False)):
        expect(place, pod, path, wanted)
    for container in pod["containers"]:
        check_container(f"{place}, {container['name']}", pod, container, document["kind"] == "Job")


def picks(selector, labels):
    return all(labels.get(key) == value for key, value in selector.items())


def check_service(place, service, documents):
    spec = service["spec"]
    pods = [document["spec"]["template"] for document in documents if document["kind"] in PODS]
    pods = [pod for pod in pods if picks(spec["selector"], pod["metadata"]["labels"])]
    if not pods:
        fault(place, "it picks no pod of its file")
    names = {port.get("name") for pod in pods for container in pod["spec"]["containers"]
             for port in container.get("ports", [])}
    for port in spec["ports"]:
        target = port.get("targetPort")
        if isinstance(target, str) and target not in names:
            fault(place, f"there is no port {target}")


def check_file(path, releases):
    with open(path, encoding="utf-8") as file:
        documents = [document for document in yaml.safe_load_all(file) if document]
    if "services" in documents[0]:
        return
    for document in documents:
        place = f"{path}: {document['kind']} {document.get('metadata', {}).get('name', '')}"
        check_schema(place, document, releases)
        if document["kind"] in PODS:
            check_pod(place, document)
        if document["kind"] == "Service":
            check_service(place, document, documents)


end = sys.argv.index("--")
for name in sys.argv[end + 1:]:
    check_file(name, sys.argv[1:end])
print("\n".join(faults))
sys.exit(1 if faults else 0)
