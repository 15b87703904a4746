package dev.peapod.pods.log;

/// One line that a container wrote.
///
/// @param timeNanos when its last part was written, nanoseconds since 1970
/// @param text without the newline
/// @param partial whether the line goes on in the next one of the same stream
@SuppressWarnings("ArrayRecordComponent")
public record LogLine(long timeNanos, boolean stderr, byte[] text, boolean partial) {}
