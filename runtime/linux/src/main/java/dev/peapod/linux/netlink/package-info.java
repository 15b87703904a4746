/// A small codec of netlink(7) and rtnetlink(7) on a socket of our own: links, addresses and
/// routes.
///
/// A socket belongs for ever to the network namespace of the thread that opened it, and can be used
/// from any thread. The kernel handles a request within the send, so an answer is always there when
/// the send returns.
@NullMarked
package dev.peapod.linux.netlink;

import org.jspecify.annotations.NullMarked;
