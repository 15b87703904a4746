/// Times that come again and again, as cron writes them.
@NullMarked
package dev.peapod.pods.cron;

import org.jspecify.annotations.NullMarked;
