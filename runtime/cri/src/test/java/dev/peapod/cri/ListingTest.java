package dev.peapod.cri;

import static org.assertj.core.api.Assertions.assertThat;

import dev.peapod.proto.runtime.v1.Container;
import dev.peapod.proto.runtime.v1.ContainerFilter;
import dev.peapod.proto.runtime.v1.ListContainersResponse;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

final class ListingTest {
  private record Status(String id, int attempt) {
    Container listed(List<String> made) {
      made.add(id + attempt);
      return Container.newBuilder().setId(id).setImageRef("attempt " + attempt).build();
    }
  }

  private static final ContainerFilter EVERYTHING = ContainerFilter.getDefaultInstance();

  private final List<String> made = new ArrayList<>();
  private final Listing<Status> listing =
      new Listing<>(Status::id, status -> status.listed(made));

  private List<String> listed(ContainerFilter filter, List<Status> all) throws Exception {
    byte[] bytes =
        listing.of(all, filter, () -> all.stream().filter(s -> s.id.startsWith(filter.getId())));
    return ListContainersResponse.parseFrom(bytes).getContainersList().stream()
        .map(c -> c.getId() + " " + c.getImageRef())
        .toList();
  }

  @Test
  void listsWhatIsThere() throws Exception {
    Status a = new Status("a", 1);
    Status b = new Status("b", 1);
    assertThat(listed(EVERYTHING, List.of())).isEmpty();
    assertThat(listed(EVERYTHING, List.of(a, b))).containsExactly("a attempt 1", "b attempt 1");
    assertThat(listed(EVERYTHING, List.of(a))).containsExactly("a attempt 1");
    assertThat(listed(EVERYTHING, List.of(b))).containsExactly("b attempt 1");
    assertThat(listed(ContainerFilter.newBuilder().setId("a").build(), List.of(a, b)))
        .containsExactly("a attempt 1");
  }

  @Test
  void makesAnewWhatHasChanged() throws Exception {
    Status a = new Status("a", 1);
    Status b = new Status("b", 1);
    listed(EVERYTHING, List.of(a, b));
    listed(EVERYTHING, List.of(a, b));
    assertThat(listed(EVERYTHING, List.of(a, new Status("b", 2))))
        .containsExactly("a attempt 1", "b attempt 2");
    assertThat(made).containsExactly("a1", "b1", "b2");
  }

  @Test
  void aListThatIsAskedForAgainIsNotPutTogetherAgain() {
    List<Status> all = List.of(new Status("a", 1));
    byte[] first = listing.of(all, EVERYTHING, all::stream);
    assertThat(listing.of(List.copyOf(all), EVERYTHING, Stream::empty)).isSameAs(first);
  }
}
