package dev.peapod.installation;

import java.io.IOException;
import java.io.InputStream;
import java.lang.classfile.ClassFile;
import java.lang.classfile.attribute.ModuleAttribute;
import java.lang.classfile.attribute.ModuleProvideInfo;
import java.lang.constant.ClassDesc;
import java.lang.constant.ModuleDesc;
import java.lang.module.ModuleDescriptor;
import java.lang.reflect.AccessFlag;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.jar.JarFile;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;

/// All jars of daemon and client as one open module, for the run-time image. Of a class path, every jar is opened at each start to
/// look for services; an image is mapped, and its services are known. It takes a fifth off the daemon's start.
final class ApplicationModule {
  /// The module's name.
  static final String NAME = "dev.peapod";

  private static final String SERVICES = "META-INF/services/";
  private static final String DESCRIPTOR = "module-info.class";

  private final Set<String> uses = new TreeSet<>();
  private final TreeMap<String, Set<String>> provides = new TreeMap<>();
  private final TreeMap<String, byte[]> files = new TreeMap<>();

  private ApplicationModule() {}

  /// Writes the module as a jar.
  ///
  /// @param version of Peapod
  /// @param requires the modules of the JDK that it needs
  static void write(Libraries libraries, String version, Collection<String> requires, Path to)
      throws IOException {
    ApplicationModule module = new ApplicationModule();
    for (String jar : libraries.jars()) {
      module.add(libraries.path(jar));
    }
    Files.createDirectories(to.getParent());
    try (ZipOutputStream out = new ZipOutputStream(Files.newOutputStream(to))) {
      out.setLevel(1);
      put(out, DESCRIPTOR, module.descriptor(version, requires));
      for (var file : module.files.entrySet()) {
        put(out, file.getKey(), file.getValue());
      }
    }
  }

  private static void put(ZipOutputStream out, String name, byte[] content) throws IOException {
    out.putNextEntry(new ZipEntry(name));
    out.write(content);
    out.closeEntry();
  }

  /// What is of use at run time, each file in the version for this Java. The first of two of one name stays, as on a class path.
  private void add(Path path) throws IOException {
    try (JarFile jar =
        new JarFile(path.toFile(), false, JarFile.OPEN_READ, Runtime.version())) {
      for (var entry : jar.versionedStream().filter(e -> !e.isDirectory()).toList()) {
        try (InputStream in = jar.getInputStream(entry)) {
          String name = entry.getName();
          if (name.equals(DESCRIPTOR)) {
            uses.addAll(ModuleDescriptor.read(in).uses());
          } else if (name.startsWith(SERVICES)) {
            providers(name.substring(SERVICES.length()), in);
          } else if (!isOfJarOnly(name) && !isNative(name)) {
            files.putIfAbsent(name, in.readAllBytes());
          }
        }
      }
    }
  }

  private void providers(String service, InputStream in) throws IOException {
    new String(in.readAllBytes(), StandardCharsets.UTF_8)
        .lines()
        .map(line -> line.replaceFirst("#.*", "").strip())
        .filter(line -> !line.isEmpty())
        .forEach(provides.computeIfAbsent(service, s -> new LinkedHashSet<>())::add);
  }

  private static boolean isOfJarOnly(String name) {
    return name.equals(JarFile.MANIFEST_NAME)
        || name.equals("META-INF/INDEX.LIST")
        || name.startsWith("META-INF/maven/")
        || name.startsWith("META-INF/versions/");
  }

  /// Those of this platform are in `lib`, unpacked.
  private static boolean isNative(String name) {
    return name.matches(".*\\.(so|a|dll|jnilib|dylib)");
  }

  private byte[] descriptor(String version, Collection<String> requires) {
    uses.addAll(provides.keySet());
    uses.removeIf(service -> !isThere(service));
    List<ModuleProvideInfo> provided = new ArrayList<>();
    provides.forEach(
        (service, all) -> {
          List<ClassDesc> there =
              all.stream().filter(this::isThere).map(ClassDesc::of).toList();
          if (isThere(service) && !there.isEmpty()) {
            provided.add(ModuleProvideInfo.of(ClassDesc.of(service), there));
          }
        });
    return ClassFile.of()
        .buildModule(
            ModuleAttribute.of(
                ModuleDesc.of(NAME),
                module -> {
                  module.moduleFlags(AccessFlag.OPEN);
                  module.moduleVersion(version);
                  module.requires(ModuleDesc.of("java.base"), List.of(AccessFlag.MANDATED), null);
                  requires.stream()
                      .filter(name -> !name.equals("java.base"))
                      .forEach(name -> module.requires(ModuleDesc.of(name), List.of(), null));
                  uses.forEach(service -> module.uses(ClassDesc.of(service)));
                  provided.forEach(module::provides);
                }));
  }

  /// Whether it is a class of ours or of the JDK; optional services of libraries may be neither.
  private boolean isThere(String name) {
    return files.containsKey(name.replace('.', '/') + ".class") || name.startsWith("java.");
  }
}
