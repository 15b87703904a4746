@NullMarked
package dev.peapod.linux.netlink;

import org.jspecify.annotations.NullMarked;
