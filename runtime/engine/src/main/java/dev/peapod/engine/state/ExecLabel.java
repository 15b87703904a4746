package dev.peapod.engine.state;

/// The label that a security module gives a process at its next execve(2).
///
/// @param attribute the file in `/proc/PID/attr` that takes it
/// @param text what is written
public record ExecLabel(String attribute, String text) {}
