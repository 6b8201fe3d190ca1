// A chat server as Socket.IO's own guide builds one: rooms, broadcast, acknowledgements. Nothing is
// stored, nobody is checked. An event carries the same fields as one of Parlor's.
import { createServer } from "node:http";
import { randomUUID } from "node:crypto";
import { Server } from "socket.io";

const BACKLOG = 4096;
const http = createServer();
const io = new Server(http, { transports: ["websocket"], perMessageDeflate: false });
const heads = new Map();

io.on("connection", (socket) => {
  const sender_id = randomUUID();
  socket.on("join", (session_id, ack) => {
    socket.join(session_id);
    ack({ seq: heads.get(session_id) ?? 0 });
  });
  socket.on("send", ({ session_id, client_id, content }, ack) => {
    const seq = (heads.get(session_id) ?? 0) + 1;
    heads.set(session_id, seq);
    const at = new Date().toISOString();
    const posted = {
      id: client_id, no: seq, number: seq, seq, session_id, sender_id, client_id, content,
      reply_to: null, sent_at: at, edited_at: null, deleted_at: null, expires_at: null,
    };
    io.to(session_id).emit("event", { session_id, seq, at, posted });
    ack({ number: seq, seq });
  });
});

http.listen({ port: 0, host: "127.0.0.1", backlog: BACKLOG }, () => {
  console.log(`listening on http://127.0.0.1:${http.address().port}`);
});
