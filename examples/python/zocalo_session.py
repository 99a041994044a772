"""A client of Zócalo sessions in plain Python: standard library only, codec `json`.

Written from docs/wire-protocol.md: events, calls both ways, streams that the server sends, and sessions that go on, also in
another process of a server with a journal.

    session = Session(("127.0.0.1", 7000), "chat", "1.2.0", {"said": print})
    print(session.call("join", {"room": "plaza"}))
"""

import json
import socket
import struct
import time

MAGIC = b"ZOCALO\x00\x01"
HELLO, WELCOME, REFUSAL = 1, 2, 3
ACK, CREDIT, PING, PONG, GOAWAY, CLOSE, SHARED, PLACE = range(0x10, 0x18)
EVENT, CALL, RESULT, ERROR, CANCEL, OPEN, ITEM, END = range(0x40, 0x48)
WINDOW, SHARED_WINDOW = 262144, 0xFFFFFFFF
LEAST_AGAIN = 1048576
LIMITS = {"maxMessageBytes": 1048576, "windowBytes": WINDOW, "streamWindowBytes": WINDOW,
          "maxCalls": 256, "maxStreams": 64, "heartbeatMs": 15000}


class ZocaloError(Exception):
    """Refused by the server, answered with an error, or the session is over. The arguments are code and message."""


def encode(value):
    return b"" if value is None else json.dumps(value, separators=(",", ":")).encode()


def decode(body):
    return json.loads(body) if body else None


class Session:
    """One session. `handlers` maps what this client offers, events and calls, to functions of their value."""
    def __init__(self, address, contract, version, handlers, auth=None):
        self.address, self.contract, self.version, self.auth = address, contract, version, auth
        major = int(version.split(".")[0])
        self.accepts = {"from": f"{major}.0.0", "below": f"{major + 1}.0.0"}
        self.handlers, self.offers = handlers, sorted(handlers)
        self.welcome, self.attempt, self.resumes = None, 0, 0
        self.connect()

    def connect(self):
        """Makes a connection, and continues the session if there is one."""
        self.attempt += 1
        hello = {
            "contract": self.contract, "version": self.version, "accepts": self.accepts, "offers": self.offers,
            "codecs": ["json"], "features": ["moves"], "limits": LIMITS, "auth": self.auth,
        }
        if self.welcome:
            hello["resume"] = {
                **{name: self.welcome[name] for name in ("session", "token", "server")}, "attempt": self.attempt,
                "received": self.received, "acknowledged": self.sent - len(self.log), "sent": self.sent,
                **({"place": self.place} if self.place else {}),
            }
        self.socket = socket.create_connection(self.address, timeout=10)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = b""
        self.socket.sendall(MAGIC + self.frame(HELLO, json.dumps(hello).encode()))
        if self.read(8) != MAGIC:
            raise ZocaloError("PROTOCOL_MISMATCH", "the server does not speak zocalo")
        kind, payload = self.read_frame()
        answer = json.loads(payload)
        if kind != WELCOME:
            raise ZocaloError(answer["code"], answer["message"])
        if "received" in answer:
            self.resumes += 1
            self.forget(answer["received"])
        elif self.welcome:
            raise ZocaloError("SESSION_LOST", answer["fresh"])
        else:
            self.received, self.sent, self.log, self.next_id, self.answers, self.streams = 0, 0, [], 1, {}, {}
            self.place, self.moved = 0, 0
        if "received" not in answer or "moved" in answer:
            self.lane_sent, self.lane_limit, self.used = 0, answer["limits"]["windowBytes"], {0: 0}
            self.moved, self.again = answer.get("moved", 0), max(WINDOW, LEAST_AGAIN)
            free = max(self.lane_limit, LEAST_AGAIN)
            self.most = free + self.lane_limit
            for frame in self.log:
                if frame[4] in (EVENT, CALL, OPEN):
                    free, self.lane_sent = (free - len(frame), self.lane_sent) if free > 0 else (free, self.lane_sent + len(frame))
        self.used[SHARED_WINDOW] = 0
        self.welcome, self.methods = answer, {name: place for place, name in enumerate(answer["offers"])}
        self.socket.settimeout(2 * min(LIMITS["heartbeatMs"], answer["limits"]["heartbeatMs"]) / 1000)
        self.send_frame(ACK, struct.pack(">Q", self.received))
        for window in self.used:
            self.use(window, 0)
        for frame in self.log:
            self.socket.sendall(frame)
        for stream_id in self.streams if "moved" in answer else ():
            if stream_id not in self.answers:
                self.send_message(CANCEL, struct.pack(">I", stream_id))
                self.answers[stream_id] = ERROR, b'{"code":"SESSION_MOVED","message":"streams do not move"}'

    def event(self, name, value=None):
        self.request(EVENT, struct.pack(">H", self.methods[name]) + encode(value))

    def call(self, name, value=None, timeout_ms=30000):
        """Calls, and waits for the answer."""
        call_id, deadline = self.next_id, time.monotonic() + timeout_ms / 1000
        self.next_id += 2
        self.request(CALL, struct.pack(">IHI", call_id, self.methods[name], timeout_ms) + encode(value))
        while call_id not in self.answers:
            if time.monotonic() > deadline:
                self.send_message(CANCEL, struct.pack(">I", call_id))
                raise TimeoutError(name)
            self.pump()
        return self.result(call_id)

    def stream(self, name, value=None):
        """Opens a stream that the server sends, and yields its items."""
        stream_id = self.next_id
        self.next_id += 2
        items, self.used[stream_id] = self.streams.setdefault(stream_id, []), 0
        self.request(OPEN, struct.pack(">IHB", stream_id, self.methods[name], 2) + encode(value))
        while items or stream_id not in self.answers:
            if items:
                yield decode(items[0])
                self.use(stream_id, len(items.pop(0)) + 9)
            else:
                self.pump()
        del self.streams[stream_id]
        self.used.pop(stream_id, None)
        self.result(stream_id)

    def close(self):
        """Says goodbye; the answer says what has arrived. Answers how many messages have not, or perhaps not."""
        self.send_frame(CLOSE, struct.pack(">Q", self.received) + b'{"code":"","message":"bye"}')
        kind = None
        while kind != CLOSE:
            try:
                kind, payload = self.read_frame()
            except (ConnectionError, socket.timeout):
                break
            if kind in (ACK, CLOSE):
                self.forget(struct.unpack(">Q", payload[:8])[0])
        self.socket.close()
        return len(self.log)

    def pump(self):
        """Does what one frame asks for. A lost connection is made again."""
        try:
            kind, payload = self.read_frame()
        except (ConnectionError, socket.timeout):
            self.socket.close()
            self.connect()
            return
        if kind & 0x40:
            self.received += 1
            self.message(kind, payload)
            self.send_frame(ACK, struct.pack(">Q", self.received))
        elif kind == ACK:
            self.forget(struct.unpack(">Q", payload)[0])
        elif kind == CREDIT:
            window, limit = struct.unpack(">IQ", payload)
            self.lane_limit = limit if window == 0 else self.lane_limit
        elif kind in (SHARED, PLACE):
            place, known = struct.unpack(">Q", payload[:8])[0], self.place
            self.place = max(place, known)
            if kind == SHARED:
                self.use(SHARED_WINDOW, len(payload) + 5)
                if place > known:
                    self.handler(payload[8:10])(decode(payload[10:]))
        elif kind == PING:
            self.send_frame(PONG, payload)
        elif kind == CLOSE:
            code, message = (json.loads(payload[8:])[name] for name in ("code", "message"))
            if not code:
                self.send_frame(CLOSE, struct.pack(">Q", self.received) + b'{"code":"","message":""}')
            self.socket.close()
            raise ZocaloError(code, message)

    def message(self, kind, payload):
        """One numbered message of the server."""
        if kind in (EVENT, CALL):
            if self.received <= self.moved and self.again > 0:
                self.again -= len(payload) + 5
            else:
                self.use(0, len(payload) + 5)
        if kind == EVENT:
            self.handler(payload[:2])(decode(payload[2:]))
        elif kind == CALL:
            if payload[6:10] != bytes(4):
                self.send_message(RESULT, payload[:4] + encode(self.handler(payload[4:6])(decode(payload[10:]))))
        elif kind == ITEM:
            self.streams.get(struct.unpack(">I", payload[:4])[0], []).append(payload[4:])
        elif kind in (RESULT, ERROR, END):
            self.answers[struct.unpack(">I", payload[:4])[0]] = (kind, payload[4:])

    def result(self, some_id):
        kind, body = self.answers.pop(some_id)
        if kind == ERROR:
            raise ZocaloError(*(json.loads(body)[name] for name in ("code", "message")))
        return decode(body)

    def request(self, kind, payload):
        while self.lane_sent >= self.lane_limit or sum(map(len, self.log)) >= self.most:
            self.pump()
        self.lane_sent += len(payload) + 5
        self.send_message(kind, payload)

    def send_message(self, kind, payload):
        self.sent += 1
        self.log.append(self.frame(kind, payload))
        self.send_frame(kind, payload)

    def send_frame(self, kind, payload):
        try:
            self.socket.sendall(self.frame(kind, payload))
        except OSError:
            pass  # `pump` makes the next connection, and sends again what must arrive.

    def use(self, window, count):
        if window in self.used:
            self.used[window] += count
            self.send_frame(CREDIT, struct.pack(">IQ", window, self.used[window] + WINDOW))

    def forget(self, number):
        del self.log[: len(self.log) - (self.sent - number)]

    def handler(self, method):
        return self.handlers[self.offers[struct.unpack(">H", method)[0]]]

    def frame(self, kind, payload):
        return struct.pack(">IB", len(payload) + 1, kind) + payload

    def read_frame(self):
        frame = self.read(struct.unpack(">I", self.read(4))[0])
        return frame[0], frame[1:]

    def read(self, count):
        while len(self.buffer) < count:
            piece = self.socket.recv(65536)
            if not piece:
                raise ConnectionError("the server ended the connection")
            self.buffer += piece
        head, self.buffer = self.buffer[:count], self.buffer[count:]
        return head
