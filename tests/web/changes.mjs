// What subscribers of cards get, by the clients graphql-ws and graphql-sse. Arguments: address, token of an administrator, token
// of a service that may not see cards, ids of three cards, the unit of the first.
import { createClient as overSocket } from 'graphql-ws';
import { createClient as overEvents } from 'graphql-sse';
import WebSocket from 'ws';

const [url, token, blind, first, second, third, unit] = process.argv.slice(2);
const query = `subscription($after: String, $filter: IdentityCardFilter) {
  identityCardChanged(after: $after, filter: $filter) { kind cardId cursor card { workPhone { extension } } } }`;

async function ask(body) {
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${token}` };
  const answer = await (await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) })).json();
  if (answer.errors) throw new Error(JSON.stringify(answer.errors));
  return answer.data;
}

// Where the feed ends now.
async function end() {
  let after = null;
  for (;;) {
    const page = 'query($after: String) { identityCardChanges(after: $after) { pageInfo { endCursor hasNextPage } } }';
    const { pageInfo } = (await ask({ query: page, variables: { after } })).identityCardChanges;
    after = pageInfo.endCursor ?? after;
    if (!pageInfo.hasNextPage) return after;
  }
}

// Changes an extension, and waits until the card shows it.
async function dial(personId, extension) {
  const change = 'mutation($i: StaffPhonesUpdateInput!) { staffPhonesUpdate(input: $i) { userErrors { message } } }';
  const { staffPhonesUpdate } = await ask({ query: change, variables: { i: { personId, workPhone: { extension }, reason: 'a test' } } });
  if (staffPhonesUpdate.userErrors.length) throw new Error(JSON.stringify(staffPhonesUpdate.userErrors));
  const shown = 'query($id: ID!) { identityCard(by: { id: $id }) { workPhone { extension } } }';
  const until = Date.now() + 20000;
  while ((await ask({ query: shown, variables: { id: personId } })).identityCard.workPhone?.extension !== extension) {
    if (Date.now() > until) throw new Error(`${extension} is not shown`);
    await new Promise((wait) => setTimeout(wait, 20));
  }
}

const clients = (bearer) => {
  const authorization = `Bearer ${bearer}`;
  return {
    socket: overSocket({ url: url.replace('http', 'ws'), webSocketImpl: WebSocket, retryAttempts: 0, connectionParams: { authorization } }),
    events: overEvents({ url, retryAttempts: 0, headers: { authorization } }),
  };
};

// Until `enough` says so, or the end.
const follow = (client, variables, enough, meanwhile = async () => {}) =>
  new Promise((resolve, reject) => {
    const heard = [];
    const stop = client.subscribe({ query, variables }, {
      next: (result) => {
        heard.push(result.errors ? { error: result.errors[0].extensions.code } : result.data.identityCardChanged);
        if (enough(heard)) { resolve(heard); stop(); }
      },
      error: (error) => reject(new Error(JSON.stringify(error))),
      complete: () => resolve(heard),
    });
    meanwhile().catch(reject);
    setTimeout(() => reject(new Error(`too little in 30 s: ${JSON.stringify(heard)}`)), 30000).unref();
  });

const has = (extension) => (heard) => heard.some((change) => change?.card?.workPhone?.extension === extension);
const told = {};
let number = 1000;
for (const [name, client] of Object.entries(clients(token))) {
  const start = await end();
  const live = await follow(client, { after: start }, has(`${number}`), () => dial(first, `${number}`));
  const left = live.at(-1).cursor;
  // Nobody listens: one card changes three times, another once.
  for (const extension of [number + 1, number + 2, number + 3]) await dial(first, `${extension}`);
  await dial(second, `${number + 4}`);
  const resumed = await follow(client, { after: left }, has(`${number + 4}`));
  // Nobody says when a subscription without a cursor has begun: so again, until it is heard.
  let isHeard = false;
  const fromNow = await follow(client, {}, (heard) => (isHeard = heard.length > 0), async () => {
    for (let n = 10; !isHeard && n < 90; n += 1) {
      await dial(first, `${number + n}`);
      await new Promise((wait) => setTimeout(wait, 300));
    }
  });
  const filter = { units: [unit], includeSubunits: false };
  const filtered = await follow(client, { after: await end(), filter }, has(`${number + 8}`), async () => {
    await dial(third, `${number + 7}`);
    await dial(first, `${number + 8}`);
  });
  told[name] = { live, resumed, fromNow, filtered, number };
  number += 100;
}
for (const [name, client] of Object.entries(clients(blind))) told[name].blind = await follow(client, {}, () => false);
for (const [name, client] of Object.entries(clients(token))) {
  const after = (await end()).replace(/_[0-9a-f]{32}_/, `_${'0'.repeat(31)}9_`);
  told[name].expired = await follow(client, { after }, () => false).catch((error) => [String(error)]);
  told[name].foreign = await follow(client, { after: 'run_1' }, () => false).catch((error) => [String(error)]);
}
console.log(JSON.stringify(told));
process.exit(0);
