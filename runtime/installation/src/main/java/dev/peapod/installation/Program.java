package dev.peapod.installation;

/// The commands with a launch script and an ahead-of-time cache.
enum Program {
  DAEMON("peapodd", "dev.peapod.daemon.Main"),
  CLIENT("peapod", "dev.peapod.cli.Main");

  private final String command;
  private final String mainClass;

  Program(String command, String mainClass) {
    this.command = command;
    this.mainClass = mainClass;
  }

  String command() {
    return command;
  }

  String mainClass() {
    return mainClass;
  }

  /// File name of the cache, in `lib`.
  String cache() {
    return command + ".aot";
  }
}
