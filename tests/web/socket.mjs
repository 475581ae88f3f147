// The close codes of graphql-transport-ws, met one by one. Arguments: address, token. Prints code and reason by name.
import WebSocket from 'ws';

const [url, token] = process.argv.slice(2);
const address = url.replace('http', 'ws');
const init = { type: 'connection_init', payload: { authorization: `Bearer ${token}` } };
const long = { id: '1', type: 'subscribe', payload: { query: 'subscription { syncProgress(runId: "run_00000000000000000000000000000001") { total } }' } };

// Sends `messages` (each once the one before was answered) and tells how it was closed.
const closed = (messages, { protocol = 'graphql-transport-ws', headers = {} } = {}) =>
  new Promise((resolve) => {
    const socket = new WebSocket(address, protocol, { headers });
    const rest = [...messages];
    const heard = [];
    const say = () => {
      if (rest.length === 0) return;
      const next = rest.shift();
      socket.send(typeof next === 'string' || Buffer.isBuffer(next) ? next : JSON.stringify(next));
    };
    socket.on('open', say);
    socket.on('message', (data) => {
      heard.push(JSON.parse(String(data)).type);
      say();
    });
    socket.on('close', (code, reason) => resolve({ code, reason: String(reason), heard }));
    socket.on('unexpected-response', (_, response) => resolve({ code: response.statusCode, heard }));
    socket.on('error', () => {});
  });

const names = {
  notJson: ['{'],
  noType: [{ id: '1' }],
  unknownType: [init, { type: 'start', id: '1' }],
  binary: [Buffer.from('{"type":"ping"}')],
  beforeInit: [long],
  initTwice: [init, init],
  sameIdTwice: [init, 'BOTH'],
  tooLong: [init, { ...long, payload: { query: '{ a }', variables: { a: 'x'.repeat(300000) } } }],
  silent: [],
};
const told = {};
for (const [name, messages] of Object.entries(names)) {
  if (name === 'sameIdTwice') continue;
  told[name] = await closed(messages);
}
told.pinged = await closed([{ type: 'ping' }, { type: 'ping' }, '{']);
told.otherProtocol = await closed([], { protocol: [] });
told.otherOrigin = await closed([], { headers: { origin: 'http://evil.example' } });
told.sameIdTwice = await new Promise((resolve) => {
  const socket = new WebSocket(address, 'graphql-transport-ws');
  const slow = { id: 'x', type: 'subscribe', payload: { query: '{ systemHealth { health } }' } };
  socket.on('open', () => socket.send(JSON.stringify(init)));
  socket.on('message', (data) => {
    if (JSON.parse(String(data)).type !== 'connection_ack') return;
    socket.send(JSON.stringify(slow));
    socket.send(JSON.stringify(slow));
  });
  socket.on('close', (code, reason) => resolve({ code, reason: String(reason) }));
});
// As many as one may have, and one more.
const many = [];
for (let n = 0; n < 21; n++) {
  many.push(await new Promise((resolve) => {
    const socket = new WebSocket(address, 'graphql-transport-ws');
    socket.on('open', () => socket.send(JSON.stringify(init)));
    socket.on('message', () => resolve({ open: true }));
    socket.on('close', (code) => resolve({ code }));
    socket.on('unexpected-response', (_, response) => resolve({ code: response.statusCode }));
    socket.on('error', () => {});
  }));
}
told.many = many.map((one) => one.code ?? 'open');
console.log(JSON.stringify(told));
process.exit(0);
