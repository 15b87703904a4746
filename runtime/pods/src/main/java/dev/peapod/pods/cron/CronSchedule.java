package dev.peapod.pods.cron;

import dev.peapod.pods.cron.CronField.Range;
import java.time.Instant;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/// A CronJob's schedule, read as Kubernetes reads it: five fields with lists, ranges, steps and
/// English names, or `@daily` and the like. Where both days are given one of them is enough. A time
/// that a change of clocks leaves out does not come, one that comes twice is meant both times.
/// Immutable.
public final class CronSchedule {
  /// The longest a schedule that ever fires stays silent is eight years, around 1900 and 2100.
  private static final int DAYS_TO_LOOK = 366 * 9;

  private static final Map<String, String> NAMED =
      Map.of(
          "@yearly", "0 0 1 1 *",
          "@annually", "0 0 1 1 *",
          "@monthly", "0 0 1 * *",
          "@weekly", "0 0 * * 0",
          "@daily", "0 0 * * *",
          "@midnight", "0 0 * * *",
          "@hourly", "0 * * * *");

  private final CronField minutes;
  private final CronField hours;
  private final CronField daysOfMonth;
  private final CronField months;
  private final CronField daysOfWeek;

  private CronSchedule(List<String> fields) {
    minutes = CronField.parse(fields.get(0), Range.MINUTE);
    hours = CronField.parse(fields.get(1), Range.HOUR);
    daysOfMonth = CronField.parse(fields.get(2), Range.DAY_OF_MONTH);
    months = CronField.parse(fields.get(3), Range.MONTH);
    daysOfWeek = CronField.parse(fields.get(4), Range.DAY_OF_WEEK);
  }

  /// @throws IllegalArgumentException if the text is no schedule, in Kubernetes' words
  public static CronSchedule parse(String text) {
    String schedule = text.strip();
    if (schedule.startsWith("@every")) {
      throw new IllegalArgumentException("@every is not supported by this version of Peapod");
    }
    if (schedule.startsWith("@")) {
      String meaning = NAMED.get(schedule);
      if (meaning == null) {
        throw new IllegalArgumentException("unrecognized descriptor: " + schedule);
      }
      schedule = meaning;
    }
    List<String> fields = Arrays.asList(schedule.split("\\s+"));
    if (fields.size() != 5) {
      throw new IllegalArgumentException(
          "expected exactly 5 fields, found "
              + fields.size()
              + ": ["
              + String.join(" ", fields)
              + "]");
    }
    return new CronSchedule(fields);
  }

  /// The first time after an instant; nothing if there is none in the next years.
  public Optional<Instant> next(Instant after, ZoneId zone) {
    LocalDate start = after.atZone(zone).toLocalDate();
    return Stream.iterate(start, day -> day.plusDays(1))
        .limit(DAYS_TO_LOOK)
        .flatMap(day -> times(day, zone))
        .filter(time -> time.isAfter(after))
        .findFirst();
  }

  /// The last time that is after one instant and not after another.
  public Optional<Instant> last(Instant after, Instant until, ZoneId zone) {
    LocalDate first = after.atZone(zone).toLocalDate();
    return Stream.iterate(until.atZone(zone).toLocalDate(), day -> day.minusDays(1))
        .limit(DAYS_TO_LOOK)
        .takeWhile(day -> !day.isBefore(first))
        .map(
            day ->
                times(day, zone)
                    .filter(time -> time.isAfter(after) && !time.isAfter(until))
                    .reduce((earlier, later) -> later))
        .flatMap(Optional::stream)
        .findFirst();
  }

  /// The times of a day, in order.
  private Stream<Instant> times(LocalDate day, ZoneId zone) {
    if (!isDay(day)) {
      return Stream.empty();
    }
    return hours.values().stream()
        .boxed()
        .flatMap(hour -> minutes.values().stream().mapToObj(m -> day.atTime(hour, m)))
        .flatMap(time -> instants(time, zone))
        .sorted();
  }

  private static Stream<Instant> instants(LocalDateTime time, ZoneId zone) {
    return zone.getRules().getValidOffsets(time).stream()
        .map((ZoneOffset offset) -> time.toInstant(offset));
  }

  private boolean isDay(LocalDate day) {
    if (!months.has(day.getMonthValue())) {
      return false;
    }
    boolean ofMonth = daysOfMonth.has(day.getDayOfMonth());
    boolean ofWeek = daysOfWeek.has(day.getDayOfWeek().getValue() % 7);
    return daysOfMonth.any() || daysOfWeek.any() ? ofMonth && ofWeek : ofMonth || ofWeek;
  }
}
