package dev.peapod.engine.launch;

import dev.peapod.linux.Fd;
import java.util.ArrayList;
import java.util.List;

/// An immutable list of kernel operations in stage order, with the descriptors of its first slots.
///
/// The descriptors stay their makers'; they must be open until the plan has been sent.
public record LaunchPlan(
    PlanKind kind, List<Operation> operations, int slots, List<Fd> descriptors) {
  /// How many slots a plan may have.
  public static final int MAX_SLOTS = 256;

  /// How many descriptors may come with a plan.
  public static final int MAX_DESCRIPTORS = 200;

  public LaunchPlan {
    operations = List.copyOf(operations);
    descriptors = List.copyOf(descriptors);
    if (slots > MAX_SLOTS || descriptors.size() > MAX_DESCRIPTORS || descriptors.size() > slots) {
      throw new IllegalArgumentException(
          "a plan of " + slots + " slots and " + descriptors.size() + " descriptors");
    }
    Stage last = Stage.MONITOR;
    for (Operation operation : operations) {
      if (operation.stage().compareTo(last) < 0) {
        throw new IllegalArgumentException(operation + " stands after stage " + last);
      }
      last = operation.stage();
    }
  }

  /// The plan's bytes.
  public byte[] encode() {
    return PlanWriter.write(this);
  }

  /// Starts a plan.
  public static Builder of(PlanKind kind) {
    return new Builder(kind);
  }

  /// Collects a plan's operations, each into its stage's list. For one thread.
  public static final class Builder {
    private final PlanKind kind;
    private final List<List<Operation>> stages = new ArrayList<>(4);
    private final List<Fd> descriptors = new ArrayList<>();
    private int slots;

    private Builder(PlanKind kind) {
      this.kind = kind;
      for (int i = 0; i < 4; i++) {
        stages.add(new ArrayList<>(24));
      }
    }

    /// Gives a descriptor to the plan and answers its slot. All are given before any [#slot()].
    public int give(Fd descriptor) {
      if (slots != descriptors.size()) {
        throw new IllegalStateException("descriptors come before the slots that operations fill");
      }
      descriptors.add(descriptor);
      return slots++;
    }

    /// A new slot for an operation to fill.
    public int slot() {
      return slots++;
    }

    /// Adds an operation at the end of its stage.
    public Builder add(Operation operation) {
      stages.get(operation.stage().ordinal()).add(operation);
      return this;
    }

    /// The finished plan.
    public LaunchPlan build() {
      List<Operation> all = new ArrayList<>();
      stages.forEach(all::addAll);
      return new LaunchPlan(kind, all, slots, descriptors);
    }
  }
}
