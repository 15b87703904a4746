package dev.peapod.pods.cron;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class CronScheduleTest {
  private static final ZoneId UTC = ZoneOffset.UTC;

  /// The next times after an instant.
  private static List<String> next(String schedule, String after, String zone, int count) {
    List<String> times = new ArrayList<>();
    Instant time = Instant.parse(after);
    for (int i = 0; i < count; i++) {
      time = CronSchedule.parse(schedule).next(time, ZoneId.of(zone)).orElseThrow();
      times.add(time.toString());
    }
    return times;
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        // 2026-01-01 is a Thursday.
        "* * * * *           | 2026-01-01T00:00:30Z | 2026-01-01T00:01:00Z",
        "* * * * *           | 2026-01-01T00:01:00Z | 2026-01-01T00:02:00Z",
        "*/15 * * * *        | 2026-01-01T00:46:00Z | 2026-01-01T01:00:00Z",
        "7/20 * * * *        | 2026-01-01T00:00:00Z | 2026-01-01T00:07:00Z",
        "7/20 * * * *        | 2026-01-01T00:47:00Z | 2026-01-01T01:07:00Z",
        "0 9-17/4 * * *      | 2026-01-01T09:00:00Z | 2026-01-01T13:00:00Z",
        "0 9-17/4 * * *      | 2026-01-01T17:00:00Z | 2026-01-02T09:00:00Z",
        "5,10,50 3 * * *     | 2026-01-01T03:10:00Z | 2026-01-01T03:50:00Z",
        "0 0 1 * *           | 2026-01-01T00:00:00Z | 2026-02-01T00:00:00Z",
        "0 0 29 2 *          | 2026-01-01T00:00:00Z | 2028-02-29T00:00:00Z",
        "0 0 29 2 *          | 2096-03-01T00:00:00Z | 2104-02-29T00:00:00Z",
        "0 0 * * sun         | 2026-01-01T00:00:00Z | 2026-01-04T00:00:00Z",
        "0 0 * * MON-FRI     | 2026-01-02T00:00:00Z | 2026-01-05T00:00:00Z",
        "0 0 * * 0,6         | 2026-01-01T00:00:00Z | 2026-01-03T00:00:00Z",
        "0 0 ? feb-mar ?     | 2026-01-01T00:00:00Z | 2026-02-01T00:00:00Z",
        // Both days given: one of them is enough.
        "0 0 13 * FRI        | 2026-01-01T00:00:00Z | 2026-01-02T00:00:00Z",
        "0 0 13 * FRI        | 2026-01-09T00:00:00Z | 2026-01-13T00:00:00Z",
        // A step is no star: both count.
        "0 0 */2 * MON       | 2026-01-01T00:00:00Z | 2026-01-03T00:00:00Z",
        "@yearly             | 2026-01-01T00:00:00Z | 2027-01-01T00:00:00Z",
        "@monthly            | 2026-01-01T00:00:00Z | 2026-02-01T00:00:00Z",
        "@weekly             | 2026-01-01T00:00:00Z | 2026-01-04T00:00:00Z",
        "@midnight           | 2026-01-01T00:00:00Z | 2026-01-02T00:00:00Z",
        "@hourly             | 2026-01-01T00:00:00Z | 2026-01-01T01:00:00Z"
      })
  void comesNext(String schedule, String after, String expected) {
    assertThat(next(schedule, after, "UTC", 1)).containsExactly(expected);
  }

  @Test
  void followsTheZonesClock() {
    assertThat(next("30 2 * * *", "2026-03-28T00:00:00Z", "Europe/Berlin", 3))
        // On the 29th half past two does not exist.
        .containsExactly("2026-03-28T01:30:00Z", "2026-03-30T00:30:00Z", "2026-03-31T00:30:00Z");
    assertThat(next("*/30 2 * * *", "2026-10-25T00:00:00Z", "Europe/Berlin", 4))
        // The hour from two to three comes twice.
        .containsExactly(
            "2026-10-25T00:30:00Z",
            "2026-10-25T01:00:00Z",
            "2026-10-25T01:30:00Z",
            "2026-10-26T01:00:00Z");
  }

  @Test
  void whatNeverComesHasNoNextTime() {
    assertThat(CronSchedule.parse("0 0 30 2 *").next(Instant.EPOCH, UTC)).isEmpty();
  }

  @Test
  void ofManyMissedTimesThereIsOneLast() {
    CronSchedule schedule = CronSchedule.parse("*/5 * * * *");
    Instant start = Instant.parse("2020-01-01T00:00:00Z");
    Instant now = Instant.parse("2026-01-01T00:04:59Z");
    assertThat(schedule.last(start, now, UTC)).contains(Instant.parse("2026-01-01T00:00:00Z"));
    assertThat(schedule.last(Instant.parse("2026-01-01T00:00:00Z"), now, UTC)).isEmpty();
    // The clock was put back.
    assertThat(schedule.last(now, start, UTC)).isEqualTo(Optional.empty());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "* * * *         | expected exactly 5 fields, found 4: [* * * *]",
        "60 * * * *      | end of range (60) above maximum (59): 60",
        "* 24 * * *      | end of range (24) above maximum (23): 24",
        "* * 0 * *       | beginning of range (0) below minimum (1): 0",
        "* * * 13 *      | end of range (13) above maximum (12): 13",
        "* * * * 7       | end of range (7) above maximum (6): 7",
        "5-1 * * * *     | beginning of range (5) beyond end of range (1): 5-1",
        "*/0 * * * *     | step of range should be a positive number: */0",
        "1-2-3 * * * *   | too many hyphens: 1-2-3",
        "1/2/3 * * * *   | too many slashes: 1/2/3",
        "a * * * *       | failed to parse int from a: strconv.Atoi: parsing \"a\": invalid syntax",
        "1,,2 * * * *    | failed to parse int from : strconv.Atoi: parsing \"\": invalid syntax",
        "@often          | unrecognized descriptor: @often",
        "@every 1h       | @every is not supported by this version of Peapod"
      })
  void refusesInKubernetesWords(String schedule, String message) {
    assertThatThrownBy(() -> CronSchedule.parse(schedule))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(message);
  }
}
