"""A chat server as FastAPI's guides and the small servers that Parlor answers for build one.

Rooms over WebSocket, a row in PostgreSQL for each message (INSERT … RETURNING, committed before
anybody hears of it), PUBLISH to Redis, and from there to every socket of the room. Nobody is
checked, nothing is repeated, and a room's events are counted in this process: all three flatter it.
It speaks the frames of the load, with the same fields in an event as Parlor's.
"""

import asyncio
import os
import socket
import sys
from collections import defaultdict
from contextlib import asynccontextmanager
from uuid import UUID, uuid4

import asyncpg
import orjson
import redis.asyncio as redis
import uvicorn
from fastapi import FastAPI, WebSocket, WebSocketDisconnect

BACKLOG = 4096
CONNECTIONS = 10
CHANNEL = "room:"
TABLES = """
CREATE TABLE IF NOT EXISTS messages (
    id bigserial PRIMARY KEY,
    room uuid NOT NULL,
    sender uuid NOT NULL,
    client_id uuid NOT NULL,
    content text NOT NULL,
    sent_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX IF NOT EXISTS messages_by_room ON messages (room, id);
"""
INSERT = """
INSERT INTO messages (room, sender, client_id, content) VALUES ($1, $2, $3, $4)
RETURNING id, sent_at
"""

rooms: dict[str, set[WebSocket]] = defaultdict(set)
heads: dict[str, int] = defaultdict(int)


@asynccontextmanager
async def lifespan(app: FastAPI):
    app.state.database = await asyncpg.create_pool(
        os.environ["DATABASE_URL"], min_size=CONNECTIONS, max_size=CONNECTIONS
    )
    await app.state.database.execute(TABLES)
    app.state.redis = redis.from_url(os.environ["REDIS_URL"])
    bus = app.state.redis.pubsub()
    await bus.psubscribe(CHANNEL + "*")
    telling = asyncio.create_task(tell(bus))
    print(f"listening on http://127.0.0.1:{app.state.port}", flush=True)
    yield
    telling.cancel()
    await bus.aclose()
    await app.state.redis.aclose()
    await app.state.database.close()


app = FastAPI(lifespan=lifespan)


async def tell(bus):
    """What comes from Redis, encoded once, to everybody in the room."""
    async for message in bus.listen():
        if message["type"] != "pmessage":
            continue
        posted = orjson.loads(message["data"])
        room = posted["session_id"]
        heads[room] += 1
        seq = posted["seq"] = heads[room]
        event = {"type": "event", "session_id": room, "seq": seq, "at": posted["sent_at"]}
        event["posted"] = posted
        text = orjson.dumps(event).decode()
        for listener in list(rooms[room]):
            try:
                await listener.send_text(text)
            except (WebSocketDisconnect, RuntimeError):
                rooms[room].discard(listener)


async def post(sender: UUID, frame: dict) -> int:
    """Stores a message, then publishes it."""
    room, client_id, content = frame["session_id"], frame["client_id"], frame["content"]
    row = await app.state.database.fetchrow(INSERT, UUID(room), sender, UUID(client_id), content)
    posted = {
        "id": str(uuid4()), "no": row["id"], "number": row["id"], "seq": 0, "session_id": room,
        "sender_id": str(sender), "client_id": client_id, "content": content, "reply_to": None,
        "sent_at": row["sent_at"], "edited_at": None, "deleted_at": None, "expires_at": None,
    }
    await app.state.redis.publish(CHANNEL + room, orjson.dumps(posted))
    return row["id"]


@app.websocket("/api/v1/socket")
async def talk(websocket: WebSocket):
    await websocket.accept()
    sender, joined = uuid4(), set()
    await websocket.send_text('{"type":"hello"}')
    try:
        while True:
            frame = orjson.loads(await websocket.receive_text())
            ok = {"type": "ok", "ref": frame["ref"]}
            if frame["type"] == "subscribe":
                room = frame["session_id"]
                rooms[room].add(websocket)
                joined.add(room)
                ok["seq"] = heads[room]
            else:
                ok["number"] = await post(sender, frame)
            await websocket.send_text(orjson.dumps(ok).decode())
    except (WebSocketDisconnect, RuntimeError):
        pass
    finally:
        for room in joined:
            rooms[room].discard(websocket)


def main():
    listener = socket.create_server(("127.0.0.1", 0), backlog=BACKLOG)
    app.state.port = listener.getsockname()[1]
    config = uvicorn.Config(
        app, loop="uvloop", http="httptools", ws_per_message_deflate=False, log_level="warning",
        backlog=BACKLOG, ws_ping_interval=None,
    )
    uvicorn.Server(config).run(sockets=[listener])


if __name__ == "__main__":
    sys.exit(main())
