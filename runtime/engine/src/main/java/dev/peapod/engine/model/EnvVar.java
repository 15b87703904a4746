package dev.peapod.engine.model;

/// One variable of a container's environment.
public record EnvVar(String name, String value) {}
