"""HTTP/2 by hand, for what no client of gRPC's would do."""

import socket
import struct

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, SETTINGS, PING, WINDOW_UPDATE = 0, 1, 4, 6, 8
ACK, END_STREAM, END_HEADERS = 1, 1, 4
INITIAL_WINDOW_SIZE = 4


def frame(kind, flags, stream, payload=b""):
    return struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream) + payload


def header(name, value):
    """HPACK: a literal without indexing, a new name."""
    return b"\0" + bytes([len(name)]) + name.encode() + bytes([len(value)]) + value.encode()


class Connection:

    def __init__(self, port, window=65535):
        """`window`: how many bytes of a stream we say that we take."""
        self.socket = socket.create_connection(("127.0.0.1", port), 60)
        self.socket.sendall(PREFACE + frame(SETTINGS, 0, 0,
                                            struct.pack(">HI", INITIAL_WINDOW_SIZE, window)))

    def call(self, stream, path, message=None):
        """Opens a call; without a message its request never comes."""
        fields = {":method": "POST", ":scheme": "http", ":path": path, ":authority": "localhost",
                  "te": "trailers", "content-type": "application/grpc"}
        self.socket.sendall(frame(HEADERS, END_HEADERS, stream,
                                  b"".join(header(*field) for field in fields.items())))
        if message is not None:
            self.socket.sendall(frame(DATA, END_STREAM, stream,
                                      b"\0" + struct.pack(">I", len(message)) + message))

    def open_window(self, stream, size):
        self.socket.sendall(frame(WINDOW_UPDATE, 0, stream, struct.pack(">I", size)))

    def read_exactly(self, size):
        read = b""
        while len(read) < size:
            more = self.socket.recv(size - len(read))
            if not more:
                raise EOFError
            read += more
        return read

    def read_frame(self):
        """(kind, flags, stream, payload); settings and pings are acknowledged."""
        head = self.read_exactly(9)
        size, = struct.unpack(">I", b"\0" + head[:3])
        kind, flags, stream = struct.unpack(">BBI", head[3:])
        payload = self.read_exactly(size)
        if kind in (SETTINGS, PING) and not flags & ACK:
            self.socket.sendall(frame(kind, ACK, 0, payload if kind == PING else b""))
        return kind, flags, stream, payload

    def read_data(self):
        while True:
            kind, _, _, payload = self.read_frame()
            if kind == DATA:
                return payload

    def close(self):
        self.socket.close()
