#!/usr/bin/env bash
# ./build.sh deploy with a docker that only says what it is asked for: each thing that is missing is
# told in a sentence, and nothing is done; with all there the stack is deployed.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 2
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
failed=0

# LACKS names what is not there: engine, swarm, manager, network, secrets.
cat >"$folder/docker" <<'END'
#!/usr/bin/env bash
echo "$*" >>"$(dirname "$0")/asked"
[[ $* != secret\ create* ]] || { cat >"$(dirname "$0")/token" && exit 0; }
case "$*" in
'info -f {{.Swarm.LocalNodeState}}') [ "$LACKS" = swarm ] && echo inactive || echo active ;;
'info -f {{.Swarm.ControlAvailable}}') [ "$LACKS" = manager ] && echo false || echo true ;;
info) [ "$LACKS" != engine ] ;;
network\ inspect*) [ "$LACKS" != network ] ;;
secret\ inspect\ kafka-connector-token) false ;;
secret\ inspect*) [ "$LACKS" != secrets ] ;;
esac
END
chmod +x "$folder/docker"

fault() {
    echo "$*: $(cat "$folder/said")"
    failed=1
}

deploy() { # LACKS COMMAND
    : >"$folder/asked"
    LACKS=$1 PATH=$folder:$PATH ./build.sh $2 >"$folder/said" 2>&1
}

refuses() { # LACKS SENTENCE
    deploy "$1" '' && fault "without $1 it goes on"
    grep -qF -e "$2" "$folder/said" || fault "without $1 it does not say \"$2\""
    ! grep -qE '^(build|stack|secret)' "$folder/asked" || fault "without $1 it does something"
}

asked() { # WORDS
    grep -qE -e "$1" "$folder/asked" || fault "docker was not asked: $1"
}

refuses engine "docker reaches no engine"
refuses swarm "docker swarm init"
refuses manager "deploy from a manager"
refuses network "there is no network func_functions"
deploy nothing '' || fault "it does not deploy"
asked '^build -t kafka-connector:latest .*--build-arg VERSION='
asked '^stack deploy -c setup/swarm/docker-compose.yml -c setup/swarm/secrets.yml kafka$'
[ "$(wc -c <"$folder/token")" -ge 32 ] || fault "the token is short"
deploy secrets deploy || fault "it does not deploy without secrets"
asked '^stack deploy -c setup/swarm/docker-compose.yml kafka$'
! grep -q ^build "$folder/asked" || fault "deploy alone builds"
exit $failed
