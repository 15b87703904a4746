package dev.peapod.cri.streaming;

import dev.peapod.engine.stream.StreamSession;

/// A client's end of a remote command, whatever carries it.
interface CommandChannels extends StreamSession.Output {
  /// Sends how it ended, and ends the connection once that has been sent.
  void finish(byte[] status);

  /// Whether more input is received: not while the process takes none.
  void receiving(boolean on);
}
