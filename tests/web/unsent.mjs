// What comes of each operation over a WebSocket and as server-sent events. Arguments: address, token, a list of [query, variables] as JSON.
// Of a subscription the first result.
import { createClient as overSocket } from 'graphql-ws';
import { createClient as overEvents } from 'graphql-sse';
import WebSocket from 'ws';

const [url, token, list] = process.argv.slice(2);
const authorization = `Bearer ${token}`;
const socket = overSocket({
  url: url.replace('http', 'ws'), webSocketImpl: WebSocket, retryAttempts: 0, connectionParams: async () => ({ authorization }),
});
const events = overEvents({ url, retryAttempts: 0, headers: async () => ({ authorization }) });

const first = (client, query, variables) =>
  new Promise((resolve) => {
    let end = () => {};
    end = client.subscribe({ query, variables }, {
      next: (result) => { resolve(result); queueMicrotask(() => end()); },
      error: (error) => resolve({ errors: [error?.[0] ?? String(error?.message ?? error)] }),
      complete: () => resolve({ errors: ['nothing was said'] }),
    });
  });

const told = { socket: [], events: [] };
for (const [query, variables] of JSON.parse(list)) {
  told.socket.push(await first(socket, query, variables));
  told.events.push(await first(events, query, variables));
}
console.log(JSON.stringify(told));
process.exit(0);
