package dev.peapod.installation;

/// The commands with a launch script and an ahead-of-time cache.
enum Program {
  DAEMON("peapodd", "peapod-daemon", "dev.peapod.daemon.Main"),
  CLIENT("peapod", "peapod-cli", "dev.peapod.cli.Main");

  private final String command;
  private final String module;
  private final String mainClass;

  Program(String command, String module, String mainClass) {
    this.command = command;
    this.module = module;
    this.mainClass = mainClass;
  }

  String command() {
    return command;
  }

  /// Beginning of the name of the jar whose manifest names the class path.
  String module() {
    return module;
  }

  String mainClass() {
    return mainClass;
  }

  /// File name of the cache, in `lib`.
  String cache() {
    return command + ".aot";
  }
}
