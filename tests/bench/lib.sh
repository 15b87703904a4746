# Sourced by the benchmarks after debian.sh, with home set.

# bench CLASS ARGUMENT...: runs a main class of the tests' jar with the Java of the installation.
bench() {
  local class=$1 jar java=$home/target/peapod/runtime/bin/java
  shift
  jar=$(compgen -G "$home/tests/target/peapod-tests-*.jar" | head -n 1) ||
    die "build first: mvn -B -q -DskipTests package"
  [ -x "$java" ] || java=$(find_jdk)/bin/java || need_jdk
  "$java" -XX:TieredStopAtLevel=1 --enable-native-access=ALL-UNNAMED --sun-misc-unsafe-memory-access=allow \
    -cp "$jar:$home/tests/target/lib/*" "dev.peapod.bench.$class" "$@"
}
