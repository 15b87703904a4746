package dev.peapod.image;

/// Keeps an image's layers on disk for a holder, such as a container, whatever owners remove.
public record Lease(String imageId, String holder) {}
