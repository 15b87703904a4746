/// What a caller asks of the engine and what the engine answers: values only, free of any protocol.
@NullMarked
package dev.peapod.engine.model;

import org.jspecify.annotations.NullMarked;
