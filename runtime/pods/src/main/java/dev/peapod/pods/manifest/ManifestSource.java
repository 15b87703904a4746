package dev.peapod.pods.manifest;

/// A text to read manifests from, with the name it has in error messages.
@SuppressWarnings("ArrayRecordComponent")
public record ManifestSource(String name, byte[] content) {}
