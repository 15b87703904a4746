/// Benchmarks against any container runtime that speaks CRI v1.
@NullMarked
package dev.peapod.bench;

import org.jspecify.annotations.NullMarked;
