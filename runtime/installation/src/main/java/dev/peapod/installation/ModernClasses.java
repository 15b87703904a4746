package dev.peapod.installation;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.lang.classfile.ClassFile;
import java.lang.classfile.ClassFileVersion;
import java.lang.classfile.ClassHierarchyResolver;
import java.lang.classfile.ClassTransform;
import java.lang.classfile.CodeTransform;
import java.lang.constant.ClassDesc;
import java.nio.file.Path;
import java.util.Collections;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.jspecify.annotations.Nullable;

/// Jars whose classes are in so old a format that an ahead-of-time cache leaves them out, written anew in this Java's format. The code
/// stays as it is; what is added are the stack maps that the newer format demands. It takes a third off the client's start.
final class ModernClasses {
  private ModernClasses() {}

  /// The jar with modern classes; the same bytes for the same jar.
  ///
  /// @throws IOException also if a class would not pass the verifier afterwards
  static byte[] of(Path jar) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (JarFile from = new JarFile(jar.toFile());
        ZipOutputStream to = new ZipOutputStream(bytes)) {
      ClassFile format = format(from);
      for (JarEntry entry : Collections.list(from.entries())) {
        byte[] content = content(from, entry);
        String name = entry.getName();
        if (name.endsWith(".class")
            && !name.startsWith("META-INF/")
            && !name.equals("module-info.class")) {
          content = modern(format, name, content);
        }
        ZipEntry copy = new ZipEntry(name);
        copy.setTimeLocal(entry.getTimeLocal());
        to.putNextEntry(copy);
        to.write(content);
        to.closeEntry();
      }
    }
    return bytes.toByteArray();
  }

  private static byte[] modern(ClassFile format, String name, byte[] content) throws IOException {
    ClassTransform version =
        (builder, element) ->
            builder.with(
                element instanceof ClassFileVersion
                    ? ClassFileVersion.of(ClassFile.latestMajorVersion(), 0)
                    : element);
    // Code is taken apart and put together again, for its stack maps to be made.
    byte[] result =
        format.transformClass(
            format.parse(content),
            ClassTransform.transformingMethodBodies(CodeTransform.ACCEPT_ALL).andThen(version));
    var errors = format.verify(result);
    if (!errors.isEmpty()) {
      throw new IOException(name + " can not be brought to this Java's format: " + errors.getFirst());
    }
    return result;
  }

  private static ClassFile format(JarFile jar) {
    ClassHierarchyResolver classes =
        ClassHierarchyResolver.ofResourceParsing(description -> stream(jar, description))
            .orElse(ClassHierarchyResolver.defaultResolver())
            .cached();
    return ClassFile.of(
        ClassFile.StackMapsOption.GENERATE_STACK_MAPS,
        ClassFile.ConstantPoolSharingOption.NEW_POOL,
        ClassFile.ClassHierarchyResolverOption.of(classes));
  }

  private static @Nullable InputStream stream(JarFile jar, ClassDesc description) {
    String descriptor = description.descriptorString();
    JarEntry entry = jar.getJarEntry(descriptor.substring(1, descriptor.length() - 1) + ".class");
    try {
      return entry == null ? null : jar.getInputStream(entry);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static byte[] content(JarFile jar, JarEntry entry) throws IOException {
    try (InputStream in = jar.getInputStream(entry)) {
      return in.readAllBytes();
    }
  }
}
