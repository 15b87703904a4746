# What is missing on a Debian or Ubuntu machine, and getting it. Sourced by examples/run, tests/run and tests/bench.

say() { printf '%s\n' "$*" >&2; }
die() {
  say "error: $*"
  exit 1
}

# need_root WHAT: mounts, namespaces and cgroups take root.
need_root() {
  [ "$(id -u)" = 0 ] || die "$1 needs root (it makes namespaces, mounts and cgroups): try sudo $0"
}

# need_packages PACKAGE...: installs those that are missing, and says which.
need_packages() {
  local package missing=()
  for package; do
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] ||
      missing+=("$package")
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  say "installing Debian packages: ${missing[*]}"
  need_package_lists
  install_packages "${missing[@]}" && return 0
  # The lists of a machine age, and then name files that are gone: once more with new lists.
  need_package_lists again
  install_packages "${missing[@]}" || die "apt-get could not install: ${missing[*]}"
}

install_packages() {
  DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends "$@" >/dev/null
}

# need_package_lists: a fresh machine may not know any package yet.
need_package_lists() {
  [ -z "${package_lists_fresh:-}" ] || return 0
  if ! apt-cache show busybox >/dev/null 2>&1 || [ "${1:-}" = again ]; then
    say "updating the list of Debian packages"
    apt-get update -qq || die "apt-get update failed"
    package_lists_fresh=yes
  fi
}

# find_jdk: prints the home of a JDK 25 or newer; fails if there is none.
find_jdk() {
  local home version
  for home in "${JAVA_HOME:-}" /usr/lib/jvm/*; do
    [ -x "$home/bin/javac" ] && [ -x "$home/bin/jlink" ] && [ -r "$home/release" ] || continue
    version=$(sed -n 's/^JAVA_VERSION="\([0-9]*\).*/\1/p' "$home/release")
    if [ -n "$version" ] && [ "$version" -ge 25 ]; then
      printf '%s\n' "$home"
      return 0
    fi
  done
  return 1
}

# need_jdk: Peapod is written in Java 25. Maven itself may run on an older one.
need_jdk() {
  find_jdk >/dev/null && return 0
  need_package_lists
  if apt-cache policy openjdk-25-jdk-headless 2>/dev/null | grep -q 'Candidate: [0-9]'; then
    need_packages openjdk-25-jdk-headless
    find_jdk >/dev/null && return 0
  fi
  die "no JDK 25 or newer in JAVA_HOME or under /usr/lib/jvm, and this machine's package sources have none." \
    "Install Eclipse Temurin 25 (package temurin-25-jdk, https://adoptium.net/installation/linux/)."
}

# need_build_tools: what 'mvn package' takes.
need_build_tools() {
  need_packages gcc make musl-tools maven
  need_jdk
}
