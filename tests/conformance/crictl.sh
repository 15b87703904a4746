# Every command of crictl against the daemon that daemon.sh has started: what it prints and what it does.
# Sourced by tests/conformance/run; adds to passed and failed.

# same WHAT EXPECTED ACTUAL
same() {
  if [ "$2" = "$3" ]; then
    passed=$((passed + 1))
  else
    failed=$((failed + 1))
    printf 'FAILED      crictl %s: expected %q, got %q\n' "$1" "$2" "$3"
  fi
}

# has WHAT EXTENDED-REGULAR-EXPRESSION ACTUAL
has() {
  if grep -Eq -- "$2" <<<"$3"; then
    passed=$((passed + 1))
  else
    failed=$((failed + 1))
    printf 'FAILED      crictl %s: expected something like %q, got %q\n' "$1" "$2" "$3"
  fi
}

# refused WHAT EXTENDED-REGULAR-EXPRESSION ARGUMENT...: crictl has to fail, and say this.
refused() {
  local what=$1 pattern=$2 said
  shift 2
  if said=$(crictl "$@" 2>&1); then said="no failure: $said"; fi
  has "$what" "$pattern" "$said"
}

# Waits at most 20 s until the command's output is like the expression.
until_like() {
  local pattern=$1 i
  shift
  for i in $(seq 200); do
    if "$@" 2>&1 | grep -Eq -- "$pattern"; then return 0; fi
    sleep 0.1
  done
  return 1
}

# in_terminal ARGUMENT...: runs crictl on a terminal of its own, with this script's input.
in_terminal() {
  local command
  printf -v command '%q ' "${crictl[@]}" "$@"
  script -qec "$command" /dev/null | tr -d '\r'
}

state() { # CONTAINER
  crictl inspect "$1" | jq -r '.status.state, .status.exitCode' | paste -sd' '
}

every_command() {
  local busybox=registry.k8s.io/e2e-test-images/busybox:1.29-2 nginx=registry.k8s.io/e2e-test-images/nginx:1.14-2
  local files=$run/crictl image pod made web id text events
  mkdir -p "$files/logs"
  crictl rmp -fa >/dev/null 2>&1 || true

  # The runtime itself.
  has version 'RuntimeName: +peapod' "$(crictl version)"
  same info 'true true' "$(crictl info | jq -r '[.status.conditions[].status] | join(" ")')"
  same 'info -q' null "$(crictl info -q | jq -r .config)"
  has runtime-config 'CGROUPFS' "$(crictl runtime-config)"
  has config '^unix://' "$(crictl config --get runtime-endpoint 2>&1 || true)unix://"
  has completion 'crictl' "$(crictl completion bash)"

  # Images.
  has pull 'Image is up to date for sha256:' "$(crictl pull "$busybox")"
  crictl pull "$nginx" >/dev/null
  image=$(crictl images -q "$busybox")
  has images '^sha256:[0-9a-f]{64}$' "$image"
  has 'images --digests' 'e2e-test-images/busybox +1.29-2 +[0-9a-f]+' "$(crictl images --digests)"
  same inspecti "$busybox" "$(crictl inspecti "$image" | jq -r '.status.repoTags[] | select(endswith("1.29-2"))')"
  has 'inspecti verbose' 'PATH=' "$(crictl inspecti "$image" | jq -c .info)"
  has imagefsinfo '^/' "$(crictl imagefsinfo | jq -r '.status.imageFilesystems[0].fsId.mountpoint')"
  refused 'pull of what is not there' 'image registry.k8s.io/no/such:image' pull registry.k8s.io/no/such:image

  # A pod and a container, step by step.
  cat >"$files/pod.json" <<JSON
{"metadata": {"name": "web", "namespace": "crictl", "uid": "u1", "attempt": 1}, "hostname": "web-host",
 "log_directory": "$files/logs", "labels": {"app": "web", "io.kubernetes.pod.name": "web", "io.kubernetes.pod.namespace": "crictl"}, "annotations": {"why": "test"},
 "port_mappings": [{"container_port": 80}], "linux": {"cgroup_parent": "/peapod-critest/besteffort/u1"}}
JSON
  cat >"$files/main.json" <<JSON
{"metadata": {"name": "main"}, "image": {"image": "$busybox"}, "log_path": "main.log", "stdin": true,
 "command": ["sh", "-c", "echo up; echo oops >&2; while read line; do echo got \$line; done; exit 3"],
 "labels": {"role": "main", "io.kubernetes.pod.name": "web", "io.kubernetes.pod.namespace": "crictl"}, "linux": {"resources": {"memory_limit_in_bytes": 67108864}}}
JSON
  "${crictl[@]}" events -o json >"$files/events" 2>&1 &
  events=$!
  pod=$(crictl runp "$files/pod.json")
  has runp '^[0-9a-f]{64}$' "$pod"
  # The stream of events is there once it has told of one.
  until_like CONTAINER_CREATED_EVENT cat "$files/events" || {
    crictl rmp -f "$pod" >/dev/null
    pod=$(crictl runp "$files/pod.json")
  }
  refused 'runp of a name that is taken' 'ALREADY_EXISTS|AlreadyExists' runp "$files/pod.json"
  same pods "$pod" "$(crictl pods -q --name web --namespace crictl --label app=web --state Ready)"
  same 'pods of another label' '' "$(crictl pods -q --label app=other)"
  same inspectp 'SANDBOX_READY web 1 test' \
    "$(crictl inspectp "$pod" | jq -r '.status | [.state, .metadata.name, (.metadata.attempt | tostring), .annotations.why] | join(" ")')"
  has 'inspectp verbose' '^[1-9][0-9]*$' "$(crictl inspectp "$pod" | jq -r .info.pid)"
  made=$(crictl create "$pod" "$files/main.json" "$files/pod.json")
  has create '^[0-9a-f]{64}$' "$made"
  same 'ps of what is created' "$made" "$(crictl ps -q --state Created --pod "$pod")"
  same 'ps without -a' '' "$(crictl ps -q)"
  same start "$made" "$(crictl start "$made")"
  same ps "$made" "$(crictl ps -q --name main --image "$busybox" --label role=main)"
  has 'ps with names' 'busybox:1.29-2 .*Running +main +0 .*web +crictl' "$(crictl ps)"
  same inspect 'CONTAINER_RUNNING 0' "$(state "$made")"
  has 'inspect verbose' '^[1-9][0-9]*$' "$(crictl inspect "$made" | jq -r .info.pid)"
  same 'inspect by a short id' "$made" "$(crictl inspect "${made:0:13}" | jq -r .status.id)"
  until_like '^up$' crictl logs "$made" || true
  same logs 'up' "$(crictl logs "$made" 2>/dev/null)"
  same 'logs of stderr' 'oops' "$(crictl logs "$made" 2>&1 >/dev/null)"
  has 'logs -t' '^20[0-9-]+T[0-9:.]+[^ ]* up$' "$(crictl logs -t --tail 2 "$made" 2>/dev/null)"

  # Commands and streams.
  same exec 'web-host' "$(crictl exec "$made" hostname)"
  same 'exec -s' 'web-host' "$(crictl exec -s "$made" hostname | head -n 1)"
  same 'exec over WebSocket' 'web-host' "$(crictl exec --transport websocket "$made" hostname)"
  same 'exec -i' 'in' "$(echo in | crictl exec -i "$made" cat)"
  has 'exec -it' '/dev/pts/[0-9]' "$(echo tty | in_terminal exec -it "$made" sh -c 'ls -l /proc/self/fd/0')"
  refused 'exec that fails' 'exit code 7' exec "$made" sh -c 'exit 7'
  refused 'exec of no program' 'no-such-program' exec -s "$made" no-such-program
  refused 'exec -s that is late' 'DeadlineExceeded|timed out' exec -s --timeout 1 "$made" sleep 60
  mkfifo "$files/typed"
  (exec "${crictl[@]}" attach -i "$made") <"$files/typed" >"$files/attached" &
  id=$!
  exec 7>"$files/typed"
  echo 'a line' >&7
  until_like 'got a line' cat "$files/attached" || true
  exec 7>&-
  same attach 'got a line' "$(cat "$files/attached")"
  kill -KILL $id
  wait $id 2>/dev/null || true
  has 'logs of what was typed' 'got a line' "$(crictl logs "$made" 2>/dev/null)"
  mv "$files/logs/main.log" "$files/logs/main.log.1"
  crictl logs -r "$made" >/dev/null 2>&1
  has 'logs -r' 'main.log$' "$(ls "$files/logs/main.log")"

  # Figures.
  same update "$made" "$(crictl update --memory 33554432 --cpu-share 512 "$made")"
  same 'inspect after update' '33554432' "$(crictl inspect "$made" | jq -r .status.resources.linux.memoryLimitInBytes)"
  has stats "^${made:0:13} +main +[0-9.]+" "$(crictl stats "$made" | tail -n 1)"
  has 'stats as JSON' '^[1-9][0-9]*$' "$(crictl stats -o json "$made" | jq -r '.stats[0].memory.usageBytes.value')"
  has statsp "^web +${pod:0:13} " "$(crictl statsp --id "$pod" | tail -n 1)"
  has 'metricsp' 'container_memory_usage_bytes' "$(crictl metricsp)"
  has metricdescs 'container_cpu_usage_seconds_total' "$(crictl metricdescs)"

  # Ports of the pod.
  web=$(crictl create --no-pull "$pod" <(printf '{"metadata": {"name": "nginx"}, "image": {"image": "%s"}, "linux": {}}' "$nginx") "$files/pod.json")
  crictl start "$web" >/dev/null
  for text in spdy websocket; do
    "${crictl[@]}" port-forward --transport $text "$pod" 12001:80 >"$files/forward" 2>&1 &
    id=$!
    until_like 'nginx test page' curl -s http://127.0.0.1:12001/ || true
    has "port-forward over $text" 'nginx test page' "$(curl -s http://127.0.0.1:12001/; cat "$files/forward")"
    kill -KILL $id
    wait $id 2>/dev/null || true
  done

  refused checkpoint 'FailedPrecondition' checkpoint --export "$files/checkpoint.tar" "$made"
  has update-runtime-config 'successfully updated' "$(crictl update-runtime-config --pod-cidr 10.238.0.0/16 2>&1)"
  refused 'update-runtime-config where pods have addresses' 'FailedPrecondition' update-runtime-config --pod-cidr 10.239.0.0/24

  # The end.
  same stop "$made" "$(crictl stop --timeout 0 "$made")"
  same 'inspect of what was stopped' 'CONTAINER_EXITED 137' "$(state "$made")"
  refused 'exec where nothing runs' 'not running|EXITED' exec "$made" true
  same rm "$made" "$(crictl rm "$made")"
  same 'rm -f' "$web" "$(crictl rm -f "$web" | tail -n 1)"
  same 'ps -a' '' "$(crictl ps -aq --pod "$pod")"
  same stopp "Stopped sandbox $pod" "$(crictl stopp "$pod")"
  same 'inspectp of what was stopped' SANDBOX_NOTREADY "$(crictl inspectp "$pod" | jq -r .status.state)"
  same rmp "Removed sandbox $pod" "$(crictl rmp "$pod")"
  refused 'inspectp of what is gone' 'NotFound|not found' inspectp "$pod"
  until_like "CONTAINER_DELETED_EVENT" cat "$files/events" || true
  kill -KILL $events 2>/dev/null || true
  wait $events 2>/dev/null || true
  # In the order in which it happened.
  same events 'CONTAINER_CREATED_EVENT CONTAINER_STARTED_EVENT CONTAINER_STOPPED_EVENT CONTAINER_DELETED_EVENT' \
    "$(jq -r --arg id "$made" 'select(.containerId == $id) | .containerEventType' "$files/events" | paste -sd' ')"

  # Pod and container in one call, with pull, in another range.
  crictl update-runtime-config --pod-cidr 10.239.7.0/24 2>/dev/null
  id=$(crictl run --with-pull "$files/main.json" "$files/pod.json")
  same run 'CONTAINER_RUNNING 0' "$(state "$id")"
  has 'the other range' '^10\.239\.7\.[0-9]+$' "$(crictl inspectp "$(crictl pods -q)" | jq -r .status.network.ip)"
  has 'rmp -fa' 'Removed sandbox' "$(crictl rmp -fa)"
  same 'pods at the end' '' "$(crictl pods -q)"
  has rmi 'Deleted: registry.k8s.io/e2e-test-images/nginx' "$(crictl rmi "$nginx")"
  same 'images at the end' '' "$(crictl images -q "$nginx")"
  crictl rmi -a >/dev/null
  same 'rmi -a' '' "$(crictl images -q)"
}
