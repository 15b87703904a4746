/// Services: which pods are behind their names, and what is answered to those who ask for them.
@NullMarked
package dev.peapod.pods.service;

import org.jspecify.annotations.NullMarked;
