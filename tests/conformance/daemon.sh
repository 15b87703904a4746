# A daemon of its own with the images that the suite pulls, for tests/conformance/run. Sourced after examples/lib/debian.sh,
# with `home` (the project) and `work` (what is kept between runs) set.

conformance=$home/tests/conformance
run= registry= daemon= crictl=

# Builds the programs as go.mod and go.sum pin them (critest is its package's test binary), and the images.
prepare() {
  need_packages nftables libseccomp2 iproute2 util-linux curl jq skopeo procps
  command -v go >/dev/null || die "Go 1.26 or newer is needed to build critest and crictl: https://go.dev/dl/"
  if [ ! -x "$home/target/peapod/bin/peapodd" ]; then
    need_build_tools
    (cd "$home" && mvn -B -q -ntp package -DskipTests)
  fi
  mkdir -p "$work/bin"
  say "building crictl and critest"
  (cd "$conformance" && go build -o "$work/bin/crictl" sigs.k8s.io/cri-tools/cmd/crictl &&
    go test -c -o "$work/bin/critest" sigs.k8s.io/cri-tools/cmd/critest)

  # An unpacked registry: an installed one would start its service.
  "$home/tests/fixtures/make" "$home/tests/target/fixtures" images
  PATH=$home/tests/target/fixtures/programs:$PATH
  port=$(free_port)
  export IMAGES_ADDR=127.0.0.1:$port IMAGES_WORK=$work/images
  local stamp
  stamp=$(sha256sum <"$conformance/build-test-images.sh")
  if [ "$(cat "$work/images.made-from" 2>/dev/null)" != "$stamp" ]; then
    say "building the test images"
    rm -rf "$work/images/registry"
    "$conformance/build-test-images.sh" >"$work/images.log" || die "building the test images failed: $(tail -n 3 "$work/images.log")"
    printf '%s\n' "$stamp" >"$work/images.made-from"
  fi
}

# The registry listens on 5000 or the next port that nobody has.
free_port() {
  local port
  for port in $(seq 5000 5099); do
    [ -n "$(ss -Hltn "sport = :$port")" ] || { printf '%s\n' "$port" && return; }
  done
  die "no port from 5000 to 5099 is free"
}

# What a daemon may leave behind, a line each.
machine() {
  local exe program
  for exe in /proc/[0-9]*/exe; do
    program=$(readlink "$exe" 2>/dev/null) || continue
    case $program in /memfd:pause* | /memfd:joiner*) printf 'process %s\n' "$program" ;; esac
  done | sort
  awk '{ print "mount", $5 }' /proc/self/mountinfo | sort
  find /run/netns -mindepth 1 2>/dev/null | sort
  ip -o link show | awk '{ print "link", $2 }'
  # The kernel gives each link an address of its own some time after it is up.
  ip -o address show | awk '$4 !~ /^fe80:/ { print "address", $2, $4 }'
  ip route show table all | grep -Ev '(fe80|ff00|multicast ff)' | sed 's/ linkdown//; s/expires [^ ]*//' || true
  nft -s list ruleset
  find /sys/fs/cgroup -type d -path '*/peapod*' 2>/dev/null | sort
  printf 'forwarding %s %s\n' "$(cat /proc/sys/net/ipv4/ip_forward)" "$(cat /proc/sys/net/ipv6/conf/all/forwarding)"
}

# A daemon with everything of its own, and a registry that its mirrors lead to.
start() {
  local busy
  busy=$(ss -Hltn 'sport >= :12000 and sport <= :12003')
  [ -z "$busy" ] || die "the suite needs the ports 12000 to 12003: $busy"
  run=$(mktemp -d /tmp/peapod-critest.XXXXXX)
  crictl=("$work/bin/crictl" -c /dev/null -r "unix://$run/peapod.sock")
  machine >"$run/machine"
  "$conformance/build-test-images.sh" --serve >"$work/registry.log" 2>&1 &
  registry=$!
  mkdir -p "$run/cni" "$run/tmp"
  : >"$run/config.yaml"
  printf 'mirrors:\n  "*": {endpoint: ["http://127.0.0.1:%s"]}\n' "$port" >"$run/registries.yaml"
  "$home/target/peapod/bin/peapodd" --config "$run/config.yaml" --registries "$run/registries.yaml" \
    --root "$run/root" --state "$run/state" --socket "$run/peapod.sock" --log-root "$run/logs" \
    --cni-conf-dir "$run/cni" --bridge peapodct0 --pod-cidr 10.238.0.0/16 --cgroup-parent /peapod-critest \
    2>"$work/peapodd.log" &
  daemon=$!
  for _ in $(seq 300); do
    [ -S "$run/peapod.sock" ] && curl -fsS -o /dev/null "http://127.0.0.1:$port/v2/" 2>/dev/null && return
    kill -0 "$daemon" 2>/dev/null || die "peapodd ended: $(cat "$work/peapodd.log")"
    kill -0 "$registry" 2>/dev/null || die "the registry ended: $(cat "$work/registry.log")"
    sleep 0.1
  done
  die "peapodd or the registry did not come up: $(tail -n 3 "$work/peapodd.log" "$work/registry.log")"
}

crictl() {
  "${crictl[@]}" "$@"
}

# Ends everything, what failed specs left included. Does nothing the second time.
finish() {
  if [ -n "$daemon" ]; then
    crictl rmp -fa >/dev/null 2>&1 || true
    kill "$daemon" 2>/dev/null || true
    wait "$daemon" 2>/dev/null || say "peapodd ended with $?"
    daemon=
  fi
  if [ -n "$registry" ]; then
    kill "$registry" 2>/dev/null || true
    wait "$registry" 2>/dev/null || true
    registry=
  fi
  if [ -n "$run" ]; then
    rm -rf --one-file-system "$run"
    run=
  fi
}

# Fails if the machine is not as it was before the daemon.
finish_and_compare() {
  local before
  before=$(cat "$run/machine")
  finish
  for _ in $(seq 100); do
    [ "$before" != "$(machine)" ] || return 0
    sleep 0.2
  done
  say "the machine is not as before:"
  diff <(printf '%s\n' "$before") <(machine) >&2
}
