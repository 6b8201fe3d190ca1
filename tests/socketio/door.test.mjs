// The stock client of Socket.IO 4 against the server, over each of its transports.
import assert from "node:assert/strict";
import { test } from "node:test";
import { api, ask, client, line, next, person, record, room, say, url } from "./harness.mjs";

const WAYS = {
  "by polling": { transports: ["polling"] },
  "by a websocket": { transports: ["websocket"] },
  "by polling and then a websocket": {},
};

for (const [way, options] of Object.entries(WAYS)) {
  test(`somebody connects, speaks and hears ${way}`, async (t) => {
    const [ana, bo] = [await person(), await person()];
    const { session_id } = await room(ana, bo);
    const [a, b] = [ana, bo].map((who) => client(t, { ...options, auth: { token: who.token } }));
    const [hello] = await next(a, "hello");
    assert.equal(hello.user_id, ana.id);
    assert.equal(typeof hello.epoch, "string");
    if (!b.connected) await next(b, "connect");
    const heard = record(b, "event");
    const { seq } = await ask(b, "subscribe", { session_id });
    const ok = await say(a, session_id, "hi");
    assert.deepEqual([ok.type, ok.number, ok.seq], ["ok", 1, seq + 1]);
    await heard.until(1);
    assert.equal(heard[0].type, "event");
    assert.equal(heard[0].posted.content, "hi");
    assert.equal(heard[0].posted.id, ok.message_id);

    assert.equal((await ask(b, "edit", { message_id: ok.message_id, content: "x" })).code, "forbidden");
    assert.equal((await ask(a, "edit", { message_id: ok.message_id, content: "ho" })).type, "ok");
    assert.equal((await ask(b, "read", { session_id, number: 1 })).type, "ok");
    const typing = next(b, "typing");
    assert.equal((await ask(b, "typing", { session_id })).type, "ok");
    assert.equal((await typing)[0].user_ids[0], bo.id);
    assert.equal((await ask(a, "delete", { message_id: ok.message_id })).type, "ok");
    assert.equal((await a.emitWithAck("ping")).type, "ok");
    await heard.until(3);
    assert.deepEqual(heard.map(({ seq }) => seq), [seq + 1, seq + 2, seq + 3]);
    assert.equal((await ask(b, "unsubscribe", { session_id })).type, "ok");
    const expected = way === "by polling" ? "polling" : "websocket";
    if (a.io.engine.transport.name !== expected) await next(a.io.engine, "upgrade");
    assert.equal(a.io.engine.transport.name, expected);
    // Whatever the transport is now, it carries on.
    assert.equal((await say(a, session_id, "again")).number, 2);
    assert.equal(heard.length, 3);
  });
}

test("nothing is lost or doubled while the transport changes", async (t) => {
  const ana = await person();
  const { session_id } = await room(ana);
  const socket = client(t, { auth: { token: ana.token } });
  const upgraded = new Promise((done) => socket.io.on("open", () => socket.io.engine.once("upgrade", done)));
  const heard = record(socket, "event");
  await next(socket, "connect");
  await ask(socket, "subscribe", { session_id });
  for (let n = 1; n <= 40; n += 1) {
    assert.equal((await say(socket, session_id, `${n}`)).number, n);
  }
  await upgraded;
  await heard.until(40);
  assert.deepEqual(heard.map(({ posted }) => posted.content), heard.map((_, n) => `${n + 1}`));
});

test("who has no good token is told so", async (t) => {
  for (const transports of [["polling"], ["websocket"]]) {
    for (const auth of [undefined, {}, { token: "x" }, { token: null }]) {
      const socket = client(t, { transports, auth });
      const [error] = await next(socket, "connect_error");
      assert.equal(error.message, "unauthorized");
      assert.equal(error.data.code, "unauthorized");
    }
  }
  // What cannot be read is another matter.
  const [error] = await next(client(t, { auth: { token: 7 } }), "connect_error");
  assert.equal(error.message, "bad_request");
});

test("a bearer token of the handshake will do", async (t) => {
  const ana = await person();
  for (const transports of [["polling"], ["websocket"]]) {
    const extraHeaders = { authorization: `Bearer ${ana.token}` };
    const [hello] = await next(client(t, { transports, extraHeaders }), "hello");
    assert.equal(hello.user_id, ana.id);
  }
});

test("the cookie will do for our own pages, and a foreign page is refused", async (t) => {
  const ana = await person();
  const open = (transports, origin) =>
    client(t, { transports, extraHeaders: { cookie: ana.cookie, ...(origin && { origin }) } });
  for (const transports of [["polling"], ["websocket"]]) {
    const [hello] = await next(open(transports, new URL(url).origin), "hello");
    assert.equal(hello.user_id, ana.id);
    for (const origin of ["https://evil.example", "null", url.replace("http:", "https:")]) {
      await next(open(transports, origin), "connect_error");
    }
  }
  for (const origin of ["https://evil.example", "null"]) {
    const refused = await fetch(`${url}/socket.io/?EIO=4&transport=polling`, { headers: { origin } });
    assert.equal(refused.status, 403);
    assert.equal(refused.headers.get("access-control-allow-origin"), null);
  }
});

test("whoever was cut off resumes without a loss or a double", async (t) => {
  for (const transports of [["polling"], ["websocket"]]) {
    const [ana, bo] = [await person(), await person()];
    const { session_id } = await room(ana, bo);
    const way = await line(t);
    const seen = new Map();
    const state = { user_after: undefined, epoch: undefined };
    const auth = (give) =>
      give({
        token: bo.token,
        ...state,
        resume: [...seen].map(([session_id, after]) => ({ session_id, after })),
      });
    // Cut between the handshake and the first packet, this client sits out its own timeout.
    const quick = { reconnection: true, reconnectionDelay: 10, reconnectionDelayMax: 50, timeout: 500 };
    const socket = client(t, { transports, auth, ...quick }, way.url);
    socket.on("hello", ({ epoch, user_seq }) => {
      state.epoch = epoch;
      state.user_after ??= user_seq;
    });
    const own = [];
    socket.on("event", (event) => {
      if (event.user_seq) {
        state.user_after = event.user_seq;
        own.push(event.user_seq);
      } else seen.set(event.session_id, event.seq);
    });
    const heard = record(socket, "event");
    await next(socket, "hello");
    const { seq } = await ask(socket, "subscribe", { session_id });
    seen.set(session_id, seq);
    const author = client(t, { auth: { token: ana.token } });
    await next(author, "connect");
    let rooms = 0;
    for (let n = 0; n < 60; n += 1) {
      await say(author, session_id, `${n}`);
      if (n % 6 === 3) way.cut();
      if (n % 20 === 10) {
        await room(ana, bo);
        rooms += 1;
      }
    }
    await heard.until(60 + rooms);
    await ask(author, "ping");
    const said = heard.filter((event) => event.posted).map(({ posted }) => posted.content);
    assert.deepEqual(said, Array.from({ length: 60 }, (_, n) => `${n}`));
    assert.deepEqual(own, own.map((_, n) => own[0] + n));
    assert.equal(own.length, rooms);
  }
});

test("a cursor of another history is refused", async (t) => {
  const ana = await person();
  const { session_id } = await room(ana);
  for (const stale of [
    { epoch: "another" },
    { user_after: 1_000_000 },
    { resume: [{ session_id, after: 1_000_000 }] },
  ]) {
    const socket = client(t, { auth: { token: ana.token, ...stale } });
    const [error] = await next(socket, "connect_error");
    assert.equal(error.message, "resync_required");
  }
  const socket = client(t, { auth: { token: ana.token } });
  await next(socket, "connect");
  const answer = await ask(socket, "subscribe", { session_id, after: 1_000_000 });
  assert.equal(answer.code, "resync_required");
  assert.equal((await say(socket, session_id, "still here")).number, 1);
});

test("somebody kicked hears nothing more, nor when they come back", async (t) => {
  for (const transports of [["polling"], ["websocket"]]) {
    const [ana, bo] = [await person(), await person()];
    const { id, session_id } = await room(ana, bo);
    const socket = client(t, { transports, auth: { token: bo.token } });
    const [events, revoked] = [record(socket, "event"), record(socket, "revoked")];
    await next(socket, "connect");
    const { seq } = await ask(socket, "subscribe", { session_id });
    await api("DELETE", `/rooms/${id}/members/${bo.id}`, ana);
    await revoked.until(1);
    assert.deepEqual(revoked, Object.assign([{ session_id }], { until: revoked.until }));
    await api("POST", `/sessions/${session_id}/messages`, ana, {
      client_id: crypto.randomUUID(),
      content: "a secret",
    });
    assert.equal((await ask(socket, "subscribe", { session_id })).code, "not_found");
    assert.equal((await say(socket, session_id, "let me in")).code, "not_found");
    assert.ok(events.some((event) => event.left?.user_id === bo.id));
    assert.ok(!JSON.stringify(events).includes("a secret"));

    const resume = [{ session_id, after: seq }];
    const again = client(t, { transports, auth: { token: bo.token, resume } });
    const later = record(again, "event");
    const [lost] = await next(again, "revoked");
    assert.deepEqual(lost, { session_id });
    assert.equal((await ask(again, "ping", {})).type, "ok");
    assert.equal(later.length, 0);
  }
});

test("a login that is revoked ends its connections at once", async (t) => {
  for (const transports of [["polling"], ["websocket"]]) {
    const ana = await person();
    const socket = client(t, { transports, auth: { token: ana.token }, reconnection: true });
    await next(socket, "hello");
    const revoked = next(socket, "revoked");
    const gone = next(socket, "disconnect");
    await api("POST", "/auth/logout", ana);
    assert.deepEqual(await revoked, [{}]);
    assert.equal((await gone)[0], "io server disconnect");
    socket.connect();
    assert.equal((await next(socket, "connect_error"))[0].message, "unauthorized");
  }
});

test("what is too large ends the connection, and nothing of it is done", async (t) => {
  const ana = await person();
  const { session_id } = await room(ana);
  for (const transports of [["polling"], ["websocket"]]) {
    const socket = client(t, { transports, auth: { token: ana.token } });
    await next(socket, "connect");
    const content = (n) => ({ session_id, client_id: crypto.randomUUID(), content: "x".repeat(n) });
    assert.equal((await ask(socket, "send", content(17 * 1024))).code, "too_long");
    const gone = next(socket, "disconnect");
    socket.emit("send", content(70 * 1024));
    await gone;
  }
  const { messages } = await api("GET", `/sessions/${session_id}/messages`, ana);
  assert.deepEqual(messages, []);
});

test("what is no command is refused, and too much of it ends the connection", async (t) => {
  const ana = await person();
  const socket = client(t, { transports: ["websocket"], auth: { token: ana.token } });
  await next(socket, "connect");
  const refused = next(socket, "error");
  const gone = next(socket, "disconnect");
  socket.emit("__proto__", {});
  const [error] = await refused;
  assert.deepEqual([error.code, "ref" in error], ["bad_request", false]);
  assert.equal((await ask(socket, "fly", {})).code, "bad_request");
  socket.emit("send", 1, 2, 3);
  await gone;
  const binary = client(t, { transports: ["websocket"], auth: { token: ana.token } });
  await next(binary, "connect");
  const over = next(binary, "disconnect");
  binary.emit("send", Buffer.from("bytes"));
  await over;
});

test("there is one namespace", async (t) => {
  const ana = await person();
  const socket = client(t, { auth: { token: ana.token } }, `${url}/admin`);
  assert.equal((await next(socket, "connect_error"))[0].message, "Invalid namespace");
});
