/// A DNS server for one zone that passes on what is asked of others.
@NullMarked
package dev.peapod.dns;

import org.jspecify.annotations.NullMarked;
