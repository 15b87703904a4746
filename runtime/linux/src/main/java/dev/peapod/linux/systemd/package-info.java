/// systemd, by D-Bus: units that are made while the machine runs (org.freedesktop.systemd1(5)).
///
/// A client of the few messages that takes, on systemd's own socket; nothing of it is loaded unless it is used.
@NullMarked
package dev.peapod.linux.systemd;

import org.jspecify.annotations.NullMarked;
