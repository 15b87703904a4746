/// Pod manifests supervised through the CRI contract.
@NullMarked
package dev.peapod.pods;

import org.jspecify.annotations.NullMarked;
