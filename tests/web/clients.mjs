// What the clients graphql-ws and graphql-sse get. Arguments: address, token, id of a run that is over, id of none.
import { createClient as overSocket } from 'graphql-ws';
import { createClient as overEvents } from 'graphql-sse';
import WebSocket from 'ws';

const [url, token, run, none] = process.argv.slice(2);
const authorization = `Bearer ${token}`;
const progress = 'subscription Progress($run: ID!) { syncProgress(runId: $run) { status finished total done run { id } } }';

// Everything that comes for one operation, and how it ended.
const gather = (client, payload) =>
  new Promise((resolve) => {
    const results = [];
    client.subscribe(payload, {
      next: (result) => results.push(result),
      error: (error) => resolve({ results, error: error?.code ?? error?.[0]?.message ?? error?.message ?? String(error) }),
      complete: () => resolve({ results, complete: true }),
    });
  });

const socket = overSocket({
  url: url.replace('http', 'ws'), webSocketImpl: WebSocket, retryAttempts: 0, connectionParams: async () => ({ authorization }),
});
const events = overEvents({ url, retryAttempts: 0, headers: async () => ({ authorization }) });
const told = {};
for (const [name, client] of [['socket', socket], ['events', events]]) {
  told[name] = {
    question: await gather(client, { query: '{ viewer { name } }' }),
    subscription: await gather(client, { query: progress, variables: { run } }),
    nobody: await gather(client, { query: progress, variables: { run: none } }),
    mistaken: await gather(client, { query: progress, variables: { run: 'card_1' } }),
    unreadable: await gather(client, { query: '{ nothing' }),
  };
}
const stranger = (params) => overSocket({
  url: url.replace('http', 'ws'), webSocketImpl: WebSocket, retryAttempts: 0, connectionParams: params,
});
told.withoutToken = await gather(stranger({}), { query: '{ viewer { name } }' });
told.withForeignToken = await gather(stranger({ authorization: 'Bearer x.y.z' }), { query: '{ viewer { name } }' });
console.log(JSON.stringify(told));
process.exit(0);
