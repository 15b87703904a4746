/// nftables: the elements of maps through nfnetlink, and whole rulesets through the `nft` program.
@NullMarked
package dev.peapod.linux.nft;

import org.jspecify.annotations.NullMarked;
