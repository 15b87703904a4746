@NullMarked
package dev.peapod.linux.nft;

import org.jspecify.annotations.NullMarked;
