package dev.peapod.linux.cgroup;

import com.sun.jna.Memory;
import com.sun.jna.Pointer;
import dev.peapod.error.PeapodException;
import dev.peapod.linux.Fd;
import dev.peapod.linux.LibC;
import dev.peapod.linux.Open;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Device rules of version 2: a program of the kernel's own virtual machine (bpf(2), type CGROUP_DEVICE) that is asked
/// whenever a device is made or opened. It stays attached for as long as the cgroup lives. Those of the cgroups above are
/// asked too, and all have to allow.
final class DeviceProgram {
  private static final Pattern RULE =
      Pattern.compile("([abc]) (\\*|[0-9]{1,9}):(\\*|[0-9]{1,9}) ([rwm]{1,3})");

  private static final long SYS_BPF =
      switch (System.getProperty("os.arch")) {
        case "amd64" -> 321;
        default -> 280;
      };
  private static final int PROG_LOAD = 5;
  private static final int PROG_ATTACH = 8;
  private static final int PROG_DETACH = 9;
  private static final int PROG_GET_FD_BY_ID = 13;
  private static final int PROG_QUERY = 16;
  private static final int TYPE_CGROUP_DEVICE = 15;
  private static final int ATTACH_CGROUP_DEVICE = 6;
  private static final int ALLOW_MULTI = 2;
  private static final int ATTRIBUTES = 128;
  private static final int MAX_ATTACHED = 64;

  private static final int BLOCK = 1;
  private static final int CHARACTER = 2;
  private static final int MAKE = 1;
  private static final int READ = 2;
  private static final int WRITE = 4;
  private static final int ALL = MAKE | READ | WRITE;

  // The registers: the context, and after the start the requested type, access, major and minor number.
  private static final int SCRATCH = 1;
  private static final int TYPE = 2;
  private static final int ACCESS = 3;
  private static final int MAJOR = 4;
  private static final int MINOR = 5;

  private DeviceProgram() {}

  /// Lets the cgroup's processes use what the rules name, and nothing else; whatever was attached to it before goes.
  static void attach(String directory, List<String> rules) {
    byte[] code = assemble(rules);
    try (Fd cgroup = Fd.open(directory, Open.RDONLY | Open.DIRECTORY);
        Fd program = load(code)) {
      List<Integer> before = attached(cgroup, directory);
      try (Memory a = attributes()) {
        a.setInt(0, cgroup.number());
        a.setInt(4, program.number());
        a.setInt(8, ATTACH_CGROUP_DEVICE);
        a.setInt(12, ALLOW_MULTI);
        bpf(PROG_ATTACH, a, "bpf(PROG_ATTACH, \"" + directory + "\")");
      }
      for (int id : before) {
        detach(cgroup, id, directory);
      }
    }
  }

  private static Fd load(byte[] code) {
    try (Memory a = attributes();
        Memory instructions = new Memory(code.length);
        Memory license = new Memory(16)) {
      instructions.write(0, code, 0, code.length);
      license.setString(0, "Apache-2.0");
      a.setInt(0, TYPE_CGROUP_DEVICE);
      a.setInt(4, code.length / 8);
      a.setLong(8, Pointer.nativeValue(instructions));
      a.setLong(16, Pointer.nativeValue(license));
      return new Fd((int) bpf(PROG_LOAD, a, "bpf(PROG_LOAD, CGROUP_DEVICE)"));
    }
  }

  private static List<Integer> attached(Fd cgroup, String directory) {
    try (Memory a = attributes();
        Memory ids = new Memory(4 * MAX_ATTACHED)) {
      a.setInt(0, cgroup.number());
      a.setInt(4, ATTACH_CGROUP_DEVICE);
      a.setLong(16, Pointer.nativeValue(ids));
      a.setInt(24, MAX_ATTACHED);
      bpf(PROG_QUERY, a, "bpf(PROG_QUERY, \"" + directory + "\")");
      List<Integer> found = new ArrayList<>();
      for (int i = 0; i < a.getInt(24); i++) {
        found.add(ids.getInt(4L * i));
      }
      return found;
    }
  }

  private static void detach(Fd cgroup, int id, String directory) {
    try (Memory get = attributes();
        Memory a = attributes()) {
      get.setInt(0, id);
      try (Fd old = new Fd((int) bpf(PROG_GET_FD_BY_ID, get, "bpf(PROG_GET_FD_BY_ID)"))) {
        a.setInt(0, cgroup.number());
        a.setInt(4, old.number());
        a.setInt(8, ATTACH_CGROUP_DEVICE);
        bpf(PROG_DETACH, a, "bpf(PROG_DETACH, \"" + directory + "\")");
      }
    }
  }

  private static Memory attributes() {
    Memory memory = new Memory(ATTRIBUTES);
    memory.clear();
    return memory;
  }

  private static long bpf(int command, Memory attributes, String call) {
    return LibC.check(
        LibC.syscall(SYS_BPF, command, Pointer.nativeValue(attributes), ATTRIBUTES, 0, 0, 0), call);
  }

  /// The program: one test after the other, the first rule that fits allows.
  static byte[] assemble(List<String> rules) {
    List<long[]> code = new ArrayList<>();
    code.add(load(TYPE, 0));
    code.add(load(ACCESS, 0));
    code.add(load(MAJOR, 4));
    code.add(load(MINOR, 8));
    code.add(new long[] {0x54, TYPE, 0, 0xffff}); // w2 &= 0xffff
    code.add(new long[] {0x74, ACCESS, 0, 16}); // w3 >>= 16
    for (String text : rules) {
      Matcher rule = RULE.matcher(text);
      if (!rule.matches()) {
        throw PeapodException.invalid("\"" + text + "\" is not a device rule");
      }
      List<long[]> tests = new ArrayList<>();
      if (!rule.group(1).equals("a")) {
        tests.add(unlessEqual(TYPE, rule.group(1).equals("b") ? BLOCK : CHARACTER));
      }
      int access =
          rule.group(4)
              .chars()
              .map(c -> c == 'm' ? MAKE : c == 'r' ? READ : WRITE)
              .reduce(0, (a, b) -> a | b);
      if (access != ALL) {
        // Nothing may be asked for beyond what the rule has.
        tests.add(new long[] {0xbc, ACCESS << 4 | SCRATCH, 0, 0}); // w1 = w3
        tests.add(new long[] {0x54, SCRATCH, 0, ALL & ~access}); // w1 &= the others
        tests.add(unlessEqual(SCRATCH, 0));
      }
      if (!rule.group(2).equals("*")) {
        tests.add(unlessEqual(MAJOR, Integer.parseInt(rule.group(2))));
      }
      if (!rule.group(3).equals("*")) {
        tests.add(unlessEqual(MINOR, Integer.parseInt(rule.group(3))));
      }
      answer(tests, 1);
      for (int i = 0; i < tests.size(); i++) {
        long[] test = tests.get(i);
        code.add(
            test[0] == 0x55
                ? new long[] {0x55, test[1], tests.size() - 1 - i, test[3]} // to the next rule
                : test);
      }
    }
    answer(code, 0);
    ByteBuffer bytes = ByteBuffer.allocate(8 * code.size()).order(ByteOrder.nativeOrder());
    for (long[] i : code) {
      bytes.put((byte) i[0]).put((byte) i[1]).putShort((short) i[2]).putInt((int) i[3]);
    }
    return bytes.array();
  }

  private static long[] load(int register, int offset) {
    return new long[] {0x61, SCRATCH << 4 | register, offset, 0};
  }

  private static long[] unlessEqual(int register, int value) {
    return new long[] {0x55, register, 0, value};
  }

  private static void answer(List<long[]> code, int value) {
    code.add(new long[] {0xb7, 0, 0, value}); // r0 = value
    code.add(new long[] {0x95, 0, 0, 0}); // exit
  }
}
