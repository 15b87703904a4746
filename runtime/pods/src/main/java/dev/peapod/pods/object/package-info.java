/// The documents that pods refer to (ConfigMaps, Secrets, PersistentVolumeClaims), kept on disk.
@NullMarked
package dev.peapod.pods.object;

import org.jspecify.annotations.NullMarked;
