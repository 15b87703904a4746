package dev.peapod.engine.model;

/// What a command in a container answered.
///
/// @param exitCode the exit status, or 128 + signal
public record ExecResult(byte[] stdout, byte[] stderr, int exitCode) {}
