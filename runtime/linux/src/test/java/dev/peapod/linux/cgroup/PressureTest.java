package dev.peapod.linux.cgroup;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Optional;
import dev.peapod.linux.KernelFiles;
import org.junit.jupiter.api.Test;

final class PressureTest {
  @Test
  void readsBothLines() {
    Pressure pressure =
        Pressure.parse(
            """
            some avg10=1.50 avg60=0.12 avg300=0.30 total=18446744073
            full avg10=0.00 avg60=99.00 avg300=0.01 total=7
            """);
    assertThat(pressure.some()).isEqualTo(new Pressure.Share(18446744073L, 1.5, 0.12, 0.3));
    assertThat(pressure.full()).isEqualTo(new Pressure.Share(7, 0, 99, 0.01));
  }

  @Test
  void takesALineThatIsNotThereForNoWaiting() {
    Pressure pressure = Pressure.parse("some avg10=0.00 avg60=0.00 avg300=0.00 total=5 new=1\n");
    assertThat(pressure.some().totalMicros()).isEqualTo(5);
    assertThat(pressure.full().totalMicros()).isZero();
  }

  @Test
  void isAbsentWhereTheKernelDoesNotCount() {
    assertThat(Pressure.read("/proc/no-such.pressure", KernelFiles::readAtOnce)).isEqualTo(Optional.empty());
  }
}
