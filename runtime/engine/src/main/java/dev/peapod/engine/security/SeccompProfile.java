package dev.peapod.engine.security;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.MapperFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.type.LogicalType;
import com.fasterxml.jackson.databind.cfg.CoercionAction;
import com.fasterxml.jackson.databind.cfg.CoercionInputShape;
import dev.peapod.error.PeapodException;
import dev.peapod.linux.Errno;
import dev.peapod.linux.seccomp.SeccompAction;
import dev.peapod.linux.seccomp.SeccompFilter;
import dev.peapod.linux.seccomp.SeccompFilter.Comparison;
import dev.peapod.linux.seccomp.SeccompFilter.Operator;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// A seccomp profile in the JSON format of the OCI run-time specification, with the additions that
/// container engines keep their default profiles in: `archMap`, and rules that count only with (or
/// without) certain capabilities, architectures or kernels. Unknown fields are refused.
final class SeccompProfile {
  private static final JsonMapper MAPPER =
      JsonMapper.builder()
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .disable(DeserializationFeature.ACCEPT_FLOAT_AS_INT)
          .disable(MapperFeature.ALLOW_COERCION_OF_SCALARS)
          .withCoercionConfig(
              LogicalType.Collection,
              c -> c.setCoercion(CoercionInputShape.EmptyString, CoercionAction.Fail))
          .build();
  private static final BigInteger MAX_VALUE = BigInteger.TWO.pow(64);

  record Document(
      @Nullable String comment,
      @Nullable String defaultAction,
      @Nullable Integer defaultErrnoRet,
      @Nullable String defaultErrno,
      @Nullable List<String> architectures,
      @Nullable List<ArchMap> archMap,
      @Nullable List<String> flags,
      @Nullable String listenerPath,
      @Nullable String listenerMetadata,
      @Nullable List<Rule> syscalls) {}

  record ArchMap(@Nullable String architecture, @Nullable List<String> subArchitectures) {}

  record Rule(
      @Nullable String comment,
      @Nullable String name,
      @Nullable List<String> names,
      @Nullable String action,
      @Nullable Integer errnoRet,
      @Nullable String errno,
      @Nullable List<Argument> args,
      @Nullable Conditions includes,
      @Nullable Conditions excludes) {}

  record Argument(
      @Nullable Integer index,
      @Nullable BigInteger value,
      @Nullable BigInteger valueTwo,
      @Nullable String op) {}

  record Conditions(
      @Nullable List<String> caps, @Nullable List<String> arches, @Nullable String minKernel) {
    static final Conditions NONE = new Conditions(null, null, null);
  }

  private final String title;
  private final Document document;
  private final SeccompAction defaultAction;
  private final int flags;
  private final long relevantCapabilities;

  private SeccompProfile(String title, Document document) {
    this.title = title;
    this.document = document;
    this.defaultAction =
        action(
            "defaultAction",
            document.defaultAction,
            document.defaultErrnoRet,
            document.defaultErrno);
    this.flags = flags(list(document.flags));
    this.relevantCapabilities = relevant(list(document.syscalls));
    if (document.listenerPath != null || document.listenerMetadata != null) {
      throw invalid("listenerPath", "is not supported: nobody is asked about system calls here");
    }
  }

  /// @param title what it is called in messages
  /// @throws PeapodException INVALID naming what is wrong
  static SeccompProfile parse(String title, String json) {
    try {
      Document document = MAPPER.readValue(json, Document.class);
      if (document == null) {
        throw PeapodException.invalid(title + " is empty");
      }
      SeccompProfile profile = new SeccompProfile(title, document);
      profile.filter(0, Machine.present());
      return profile;
    } catch (JsonProcessingException e) {
      int line = e.getLocation() == null ? 1 : e.getLocation().getLineNr();
      throw PeapodException.invalid(
          title
              + " is not a seccomp profile: line "
              + line
              + ": "
              + e.getOriginalMessage().lines().findFirst().orElse(""));
    }
  }

  /// The flags of seccomp(2) that it asks for.
  int flags() {
    return flags;
  }

  /// The capabilities that make a difference, as a bit set.
  long relevantCapabilities() {
    return relevantCapabilities;
  }

  private static long relevant(List<Rule> rules) {
    long bits = 0;
    for (Rule rule : rules) {
      for (Conditions conditions : List.of(or(rule.includes), or(rule.excludes))) {
        for (String name : list(conditions.caps)) {
          bits |= CapabilitySets.bit(name).orElse(0);
        }
      }
    }
    return bits;
  }

  /// The filter for a container with these capabilities on this machine.
  SeccompFilter filter(long capabilities, Machine machine) {
    List<SeccompFilter.Rule> rules = new ArrayList<>();
    List<Rule> all = list(document.syscalls);
    for (int i = 0; i < all.size(); i++) {
      Rule rule = all.get(i);
      String field = "syscalls[" + i + "]";
      SeccompAction action =
          action(field + ".action", rule.action, rule.errnoRet, rule.errno);
      List<List<Comparison>> alternatives = alternatives(field, list(rule.args));
      for (String name : names(field, rule)) {
        if (applies(field, rule, capabilities, machine)) {
          alternatives.forEach(c -> rules.add(new SeccompFilter.Rule(action, name, c)));
        }
      }
    }
    return new SeccompFilter(defaultAction, architectures(machine), rules);
  }

  private List<String> names(String field, Rule rule) {
    List<String> names = new ArrayList<>(list(rule.names));
    if (rule.name != null) {
      names.add(rule.name);
    }
    if (names.isEmpty() || names.contains("")) {
      throw invalid(field + ".names", names.isEmpty() ? "is missing" : "has an empty name");
    }
    return names;
  }

  private boolean applies(String field, Rule rule, long capabilities, Machine machine) {
    Conditions with = or(rule.includes);
    Conditions without = or(rule.excludes);
    boolean applies = true;
    for (String name : list(with.caps)) {
      applies &= (capabilities & capability(field + ".includes.caps", name)) != 0;
    }
    for (String name : list(without.caps)) {
      applies &= (capabilities & capability(field + ".excludes.caps", name)) == 0;
    }
    if (!list(with.arches).isEmpty()) {
      applies &= list(with.arches).contains(machine.architecture());
    }
    applies &= !list(without.arches).contains(machine.architecture());
    if (with.minKernel != null) {
      applies &= machine.isAtLeast(with.minKernel);
    }
    if (without.minKernel != null) {
      applies &= !machine.isAtLeast(without.minKernel);
    }
    return applies;
  }

  private long capability(String field, String name) {
    return CapabilitySets.bit(name)
        .orElseThrow(() -> invalid(field, "\"" + name + "\" is not a capability"));
  }

  private List<String> architectures(Machine machine) {
    Set<String> tokens = new HashSet<>(list(document.architectures));
    for (ArchMap map : list(document.archMap)) {
      if (machine.token().equals(map.architecture)) {
        tokens.addAll(list(map.subArchitectures));
      }
    }
    List<String> names = new ArrayList<>();
    for (String token : tokens) {
      if (!token.startsWith("SCMP_ARCH_")) {
        throw invalid("architectures", "\"" + token + "\" does not exist");
      }
      names.add(token.substring("SCMP_ARCH_".length()).toLowerCase(Locale.ROOT));
    }
    return names.stream().sorted().toList();
  }

  /// Conditions on different arguments hold together; several on the same one are alternatives, as
  /// OCI run-times take them.
  private List<List<Comparison>> alternatives(String field, List<Argument> arguments) {
    List<Comparison> comparisons = new ArrayList<>();
    Set<Integer> seen = new HashSet<>();
    boolean repeated = false;
    for (int i = 0; i < arguments.size(); i++) {
      Comparison comparison = comparison(field + ".args[" + i + "]", arguments.get(i));
      comparisons.add(comparison);
      repeated |= !seen.add(comparison.argument());
    }
    return repeated ? comparisons.stream().map(List::of).toList() : List.of(comparisons);
  }

  private Comparison comparison(String field, Argument argument) {
    Integer index = argument.index;
    if (index == null || index < 0 || index > 5) {
      throw invalid(field + ".index", index + " is not between 0 and 5");
    }
    return new Comparison(
        index,
        operator(field, argument.op),
        value(field + ".value", argument.value),
        value(field + ".valueTwo", argument.valueTwo));
  }

  private Operator operator(String field, @Nullable String name) {
    return switch (String.valueOf(name)) {
      case "SCMP_CMP_NE" -> Operator.NE;
      case "SCMP_CMP_LT" -> Operator.LT;
      case "SCMP_CMP_LE" -> Operator.LE;
      case "SCMP_CMP_EQ" -> Operator.EQ;
      case "SCMP_CMP_GE" -> Operator.GE;
      case "SCMP_CMP_GT" -> Operator.GT;
      case "SCMP_CMP_MASKED_EQ" -> Operator.MASKED_EQ;
      default -> throw invalid(field + ".op", "\"" + name + "\" does not exist");
    };
  }

  private long value(String field, @Nullable BigInteger value) {
    if (value == null) {
      return 0;
    }
    if (value.signum() < 0 || value.compareTo(MAX_VALUE) >= 0) {
      throw invalid(field, value + " is not an unsigned number of 64 bits");
    }
    return value.longValue();
  }

  private SeccompAction action(
      String field, @Nullable String name, @Nullable Integer data, @Nullable String errno) {
    if (name == null) {
      throw invalid(field, "is missing");
    }
    if (errno != null && data == null) {
      throw invalid(field, "names the error " + errno + " without its number (errnoRet)");
    }
    SeccompAction.Kind kind =
        switch (name) {
          case "SCMP_ACT_ALLOW" -> SeccompAction.Kind.ALLOW;
          case "SCMP_ACT_ERRNO" -> SeccompAction.Kind.ERRNO;
          case "SCMP_ACT_KILL", "SCMP_ACT_KILL_THREAD" -> SeccompAction.Kind.KILL_THREAD;
          case "SCMP_ACT_KILL_PROCESS" -> SeccompAction.Kind.KILL_PROCESS;
          case "SCMP_ACT_TRAP" -> SeccompAction.Kind.TRAP;
          case "SCMP_ACT_TRACE" -> SeccompAction.Kind.TRACE;
          case "SCMP_ACT_LOG" -> SeccompAction.Kind.LOG;
          case "SCMP_ACT_NOTIFY" ->
              throw invalid(field, "SCMP_ACT_NOTIFY is not supported: nobody would be asked");
          default -> throw invalid(field, "\"" + name + "\" does not exist");
        };
    if (kind != SeccompAction.Kind.ERRNO && kind != SeccompAction.Kind.TRACE) {
      if (data != null && data != 0) {
        throw invalid(field, name + " has no errnoRet");
      }
      return SeccompAction.of(kind);
    }
    int number = data == null ? Errno.EPERM : data;
    if (number < 0 || number > (kind == SeccompAction.Kind.ERRNO ? 4095 : 0xffff)) {
      throw invalid(field, "errnoRet " + number + " is not an error number");
    }
    return new SeccompAction(kind, number);
  }

  private int flags(List<String> names) {
    int bits = 0;
    for (String name : names) {
      bits |=
          switch (name) {
            // A process that has one thread has no others to synchronise.
            case "SECCOMP_FILTER_FLAG_TSYNC" -> 0;
            case "SECCOMP_FILTER_FLAG_LOG" -> 2;
            case "SECCOMP_FILTER_FLAG_SPEC_ALLOW" -> 4;
            default -> throw invalid("flags", "\"" + name + "\" is not supported");
          };
    }
    return bits;
  }

  private PeapodException invalid(String field, String what) {
    return PeapodException.invalid(title + ": " + field + ": " + what);
  }

  private static <T> List<T> list(@Nullable List<T> list) {
    return list == null ? List.of() : list;
  }

  private static Conditions or(@Nullable Conditions conditions) {
    return conditions == null ? Conditions.NONE : conditions;
  }
}
