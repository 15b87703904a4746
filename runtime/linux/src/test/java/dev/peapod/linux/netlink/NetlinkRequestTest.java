package dev.peapod.linux.netlink;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.ByteOrder;
import java.util.HexFormat;
import org.junit.jupiter.api.Test;

class NetlinkRequestTest {
  @Test
  void encodesHeadersAndNestedAttributesWithPadding() {
    assumeTrue(ByteOrder.nativeOrder() == ByteOrder.LITTLE_ENDIAN, "the bytes are little-endian");
    NetlinkRequest request = new NetlinkRequest().message(16, NetlinkRequest.ACK).u8(2).u32(7);
    request.text(3, "br0").nested(18, () -> request.u8(4, 1).u32(5, 9));
    request.message(17, 0).be16(10);

    assertThat(HexFormat.of().formatHex(request.encode(6)))
        .isEqualTo(
            "34000000" + "1000" + "0500" + "06000000" + "00000000"
                + "0207000000000000"
                + "0800" + "0300" + "62723000"
                + "1400" + "1280" + "0500" + "0400" + "01000000" + "0800" + "0500" + "09000000"
                + "14000000" + "1100" + "0100" + "06000000" + "00000000"
                + "000a0000");
  }

  @Test
  void growsBeyondItsFirstBuffer() {
    NetlinkRequest request = new NetlinkRequest().message(1, 0);
    byte[] big = new byte[5000];
    big[4999] = 42;
    byte[] encoded = request.bytes(1, big).encode(1);
    assertThat(encoded).hasSize(16 + 4 + 5000);
    assertThat(encoded[encoded.length - 1]).isEqualTo((byte) 42);
  }
}
