/// What registries and archives say an image consists of: manifests and indexes.
@NullMarked
package dev.peapod.image.manifest;

import org.jspecify.annotations.NullMarked;
