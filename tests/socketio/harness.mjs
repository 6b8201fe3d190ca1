// People, rooms, and a line that can be cut: what the tests of the stock client stand on. The
// server is the one that PARLOR_URL names.
import { once } from "node:events";
import net from "node:net";
import { io } from "socket.io-client";

export const url = process.env.PARLOR_URL;
if (!url) throw new Error("PARLOR_URL must say where the server is");

const PATIENCE_MS = 20_000;
let people = 0;

/** Calls the API; throws what it refuses. */
export async function api(method, path, person, body) {
  const answer = await fetch(`${url}/api/v1${path}`, {
    method,
    headers: {
      ...(person && { authorization: `Bearer ${person.token}` }),
      ...(body && { "content-type": "application/json" }),
    },
    body: body && JSON.stringify(body),
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
  return { headers: answer.headers, ...(text ? JSON.parse(text) : {}) };
}

/** Somebody new, signed in, with their cookie. */
export async function person() {
  people += 1;
  const username = `p${process.pid}x${Date.now().toString(36)}x${people}`;
  const password = "correct horse battery";
  await api("POST", "/auth/register", null, { username, password });
  const login = await api("POST", "/auth/login", null, { login: username, password });
  const cookie = login.headers.get("set-cookie").split(";")[0];
  return { id: login.user.id, token: login.access_token, cookie, username };
}

/** A room of the first of these people, with the others in it. */
export async function room(owner, ...members) {
  const asked = { name: "Garden", kind: "private", members: members.map(({ id }) => id) };
  const made = await api("POST", "/rooms", owner, asked);
  return { id: made.id, session_id: made.main_session_id };
}

/** A client of the stock library, closed when the test is over. */
export function client(test, options, to = url) {
  const socket = io(to, { forceNew: true, reconnection: false, ...options });
  test.after(() => socket.disconnect());
  return socket;
}

/** Waits for what must come, and says what did not. */
export function soon(what, promise) {
  let timer;
  const late = new Promise((_, fail) => {
    timer = setTimeout(() => fail(new Error(`${what} did not come`)), PATIENCE_MS);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

/** The arguments of the next event of this name. */
export function next(emitter, name) {
  return soon(name, new Promise((done) => emitter.once(name, (...args) => done(args))));
}

/** Everything that comes by this name, in order, and a way to wait for so many. */
export function record(socket, name) {
  const heard = [];
  const waiting = [];
  socket.on(name, (said) => {
    heard.push(said);
    for (const { count, done } of waiting) if (heard.length >= count) done(heard);
  });
  heard.until = (count) =>
    soon(`${count} × ${name}`, new Promise((done) => {
      if (heard.length >= count) done(heard);
      waiting.push({ count, done });
    }));
  return heard;
}

/** Asks, and gives what answers. */
export function ask(socket, name, body) {
  return soon(`the answer to ${name}`, socket.emitWithAck(name, body));
}

export function say(socket, session_id, content) {
  return ask(socket, "send", { session_id, client_id: crypto.randomUUID(), content });
}

/** A way to the server that can be cut. */
export async function line(test) {
  const open = new Set();
  const { hostname, port } = new URL(url);
  const server = net.createServer((near) => {
    const far = net.connect(port, hostname);
    for (const [one, other] of [[near, far], [far, near]]) {
      open.add(one);
      one.setNoDelay(true);
      one.pipe(other);
      one.on("error", () => other.destroy());
      one.on("close", () => {
        open.delete(one);
        other.destroy();
      });
    }
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const cut = () => open.forEach((socket) => socket.destroy());
  test.after(() => {
    server.close();
    cut();
  });
  return { url: `http://127.0.0.1:${server.address().port}`, cut };
}
