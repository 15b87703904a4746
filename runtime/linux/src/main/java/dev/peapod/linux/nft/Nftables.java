package dev.peapod.linux.nft;

import dev.peapod.linux.Errno;
import dev.peapod.linux.KernelException;
import dev.peapod.linux.netlink.NetlinkMessage;
import dev.peapod.linux.netlink.NetlinkRequest;
import dev.peapod.linux.netlink.NetlinkSocket;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.BiConsumer;

/// The nftables of one network namespace: tables of family `inet` and the elements of their maps.
/// Thread-safe.
///
/// Tables, chains and rules are made by [NftScript].
public final class Nftables implements AutoCloseable {
  private static final int SUBSYSTEM = 10 << 8;
  private static final int GETTABLE = SUBSYSTEM | 1;
  private static final int DELTABLE = SUBSYSTEM | 2;
  private static final int NEWSETELEM = SUBSYSTEM | 12;
  private static final int GETSETELEM = SUBSYSTEM | 13;
  private static final int DELSETELEM = SUBSYSTEM | 14;
  private static final int BATCH_BEGIN = 0x10;
  private static final int BATCH_END = 0x11;
  private static final int FAMILY_INET = 1;
  private static final int FIXED_PART = 4;

  private static final int NFTA_TABLE_NAME = 1;
  private static final int NFTA_TABLE_USERDATA = 6;
  private static final int NFTA_SET_ELEM_LIST_TABLE = 1;
  private static final int NFTA_SET_ELEM_LIST_SET = 2;
  private static final int NFTA_SET_ELEM_LIST_ELEMENTS = 3;
  private static final int NFTA_LIST_ELEM = 1;
  private static final int NFTA_SET_ELEM_KEY = 1;
  private static final int NFTA_SET_ELEM_DATA = 2;
  private static final int NFTA_SET_ELEM_USERDATA = 6;
  private static final int NFTA_DATA_VALUE = 1;

  /// The type of a comment among the values of a table's or element's user data, as nft(8) writes
  /// it.
  private static final int COMMENT = 0;

  private static final int MAX_COMMENT = 127;
  private static final int ELEMENTS_A_MESSAGE = 256;

  private final NetlinkSocket socket;

  /// Takes ownership of a socket of [NetlinkSocket#NETFILTER].
  public Nftables(NetlinkSocket socket) {
    this.socket = socket;
  }

  /// A table, with the comment it was made with, `""` if none.
  public record Table(String name, String comment) {}

  /// The table of that name, if there is one.
  public Optional<Table> table(String name) {
    NetlinkRequest request = header(new NetlinkRequest(), GETTABLE, 0, FAMILY_INET);
    request.text(NFTA_TABLE_NAME, name);
    try {
      return Optional.of(table(socket.get(request, "NFT_MSG_GETTABLE(inet " + name + ")")));
    } catch (KernelException e) {
      if (e.errno() == Errno.ENOENT) {
        return Optional.empty();
      }
      throw e;
    }
  }

  /// All tables of family `inet`.
  public List<Table> tables() {
    NetlinkRequest request =
        header(new NetlinkRequest(), GETTABLE, NetlinkRequest.DUMP, FAMILY_INET);
    return socket.dump(request, "NFT_MSG_GETTABLE").stream().map(Nftables::table).toList();
  }

  /// Deletes a table with all it contains; does nothing if there is none.
  public void deleteTable(String name) {
    NetlinkRequest request = begin();
    header(request, DELTABLE, NetlinkRequest.ACK, FAMILY_INET).text(NFTA_TABLE_NAME, name);
    try {
      socket.batch(end(request), "NFT_MSG_DELTABLE(inet " + name + ")");
    } catch (KernelException e) {
      if (e.errno() != Errno.ENOENT) {
        throw e;
      }
    }
  }

  /// Adds elements to maps of a table, all or none.
  ///
  /// @param elements by map
  /// @throws KernelException EEXIST if a key is there already, ENOENT if table or map is missing
  public void addElements(String table, Map<String, List<MapElement>> elements) {
    int flags = NetlinkRequest.CREATE | NetlinkRequest.EXCLUSIVE;
    change(NEWSETELEM, flags, table, elements, Nftables::whole, "NFT_MSG_NEWSETELEM");
  }

  /// Deletes elements of maps of a table by their keys, all or none.
  ///
  /// @param elements by map
  /// @throws KernelException ENOENT if table, map or a key is missing
  public void deleteElements(String table, Map<String, List<MapElement>> elements) {
    change(DELSETELEM, 0, table, elements, Nftables::key, "NFT_MSG_DELSETELEM");
  }

  /// The elements of a map; none if there is no such table or map.
  public List<MapElement> elements(String table, String map) {
    NetlinkRequest request =
        header(new NetlinkRequest(), GETSETELEM, NetlinkRequest.DUMP, FAMILY_INET)
            .text(NFTA_SET_ELEM_LIST_TABLE, table)
            .text(NFTA_SET_ELEM_LIST_SET, map);
    List<NetlinkMessage> messages;
    try {
      messages = socket.dump(request, "NFT_MSG_GETSETELEM(inet " + table + " " + map + ")");
    } catch (KernelException e) {
      if (e.errno() == Errno.ENOENT) {
        return List.of();
      }
      throw e;
    }
    List<MapElement> elements = new ArrayList<>();
    for (NetlinkMessage message : messages) {
      for (NetlinkMessage.Attributes element :
          message.attributes(FIXED_PART).list(NFTA_SET_ELEM_LIST_ELEMENTS)) {
        elements.add(
            new MapElement(
                value(element, NFTA_SET_ELEM_KEY),
                value(element, NFTA_SET_ELEM_DATA),
                comment(element.bytes(NFTA_SET_ELEM_USERDATA))));
      }
    }
    return elements;
  }

  @Override
  public void close() {
    socket.close();
  }

  private void change(
      int type,
      int flags,
      String table,
      Map<String, List<MapElement>> elements,
      BiConsumer<NetlinkRequest, MapElement> writer,
      String what) {
    NetlinkRequest request = begin();
    int count = 0;
    for (Map.Entry<String, List<MapElement>> entry : elements.entrySet()) {
      List<MapElement> all = entry.getValue();
      for (int from = 0; from < all.size(); from += ELEMENTS_A_MESSAGE) {
        List<MapElement> some = all.subList(from, Math.min(all.size(), from + ELEMENTS_A_MESSAGE));
        count += some.size();
        header(request, type, flags | NetlinkRequest.ACK, FAMILY_INET)
            .text(NFTA_SET_ELEM_LIST_TABLE, table)
            .text(NFTA_SET_ELEM_LIST_SET, entry.getKey())
            .nested(
                NFTA_SET_ELEM_LIST_ELEMENTS,
                () ->
                    some.forEach(
                        element ->
                            request.nested(
                                NFTA_LIST_ELEM, () -> writer.accept(request, element))));
      }
    }
    if (count > 0) {
      socket.batch(
          end(request), what + "(inet " + table + " " + elements.keySet() + ", " + count + ")");
    }
  }

  private static void key(NetlinkRequest request, MapElement element) {
    request.nested(NFTA_SET_ELEM_KEY, () -> request.bytes(NFTA_DATA_VALUE, element.key()));
  }

  private static void whole(NetlinkRequest request, MapElement element) {
    key(request, element);
    request.nested(NFTA_SET_ELEM_DATA, () -> request.bytes(NFTA_DATA_VALUE, element.data()));
    byte[] text = element.comment().getBytes(StandardCharsets.UTF_8);
    if (text.length > 0) {
      int length = Math.min(text.length, MAX_COMMENT);
      byte[] userData = new byte[length + 3];
      userData[0] = COMMENT;
      userData[1] = (byte) (length + 1);
      System.arraycopy(text, 0, userData, 2, length);
      request.bytes(NFTA_SET_ELEM_USERDATA, userData);
    }
  }

  private static byte[] value(NetlinkMessage.Attributes element, int type) {
    return element.nested(type).bytes(NFTA_DATA_VALUE).orElseGet(() -> new byte[0]);
  }

  private static Table table(NetlinkMessage message) {
    NetlinkMessage.Attributes attributes = message.attributes(FIXED_PART);
    return new Table(
        attributes.text(NFTA_TABLE_NAME).orElse(""),
        comment(attributes.bytes(NFTA_TABLE_USERDATA)));
  }

  /// User data is a row of (type, length, value), a byte each but the value.
  private static String comment(Optional<byte[]> userData) {
    byte[] data = userData.orElseGet(() -> new byte[0]);
    for (int at = 0; at + 2 <= data.length; at += 2 + (data[at + 1] & 0xff)) {
      int length = data[at + 1] & 0xff;
      if (data[at] == COMMENT && length > 0 && at + 2 + length <= data.length) {
        byte[] text = Arrays.copyOfRange(data, at + 2, at + 1 + length);
        return new String(text, StandardCharsets.UTF_8);
      }
    }
    return "";
  }

  private static NetlinkRequest begin() {
    return fixedPart(new NetlinkRequest().message(BATCH_BEGIN, 0), 0, SUBSYSTEM >> 8);
  }

  private static NetlinkRequest end(NetlinkRequest request) {
    return fixedPart(request.message(BATCH_END, 0), 0, SUBSYSTEM >> 8);
  }

  private static NetlinkRequest header(NetlinkRequest request, int type, int flags, int family) {
    return fixedPart(request.message(type, flags), family, 0);
  }

  /// `struct nfgenmsg`.
  private static NetlinkRequest fixedPart(NetlinkRequest request, int family, int resource) {
    return request.u8(family).u8(0).be16(resource);
  }
}
