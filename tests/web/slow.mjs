// A subscriber that does not read. Arguments: address, token, id of a card, how often it changes. Prints how many changes were heard
// when it reads again, how large they were, and the last.
import http from 'node:http';

const [url, token, personId, times] = process.argv.slice(2);
const authorization = `Bearer ${token}`;
const headers = { 'content-type': 'application/json', authorization };
// Large on purpose: the buffers of the network must not be able to hold them.
const leaf = `{ ${Array.from({ length: 13 }, (_, n) => `n${n}: name`).join(' ')} }`;
const path = (depth) => (depth === 0 ? leaf : `{ path ${path(depth - 1)} }`);
const query = `subscription { identityCardChanged { card { workPhone { extension } a: unitPath ${path(13)} b: unitPath ${path(13)} } } }`;

async function ask(body) {
  const answer = await (await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) })).json();
  if (answer.errors) throw new Error(JSON.stringify(answer.errors));
  return answer.data;
}

async function dial(extension) {
  const change = 'mutation($i: StaffPhonesUpdateInput!) { staffPhonesUpdate(input: $i) { userErrors { message } } }';
  await ask({ query: change, variables: { i: { personId, workPhone: { extension }, reason: 'a test' } } });
  const shown = 'query($id: ID!) { identityCard(by: { id: $id }) { workPhone { extension } } }';
  const until = Date.now() + 20000;
  while ((await ask({ query: shown, variables: { id: personId } })).identityCard.workPhone?.extension !== extension) {
    if (Date.now() > until) throw new Error(`${extension} is not shown`);
    await new Promise((wait) => setTimeout(wait, 20));
  }
}

const request = http.request(url, { method: 'POST', headers: { ...headers, accept: 'text/event-stream' } });
request.end(JSON.stringify({ query }));
const response = await new Promise((resolve, reject) => { request.on('response', resolve); request.on('error', reject); });
if (response.statusCode !== 200) throw new Error(`${response.statusCode}`);
response.pause();
await new Promise((wait) => setTimeout(wait, 1500));
for (let n = 1; n <= Number(times); n += 1) await dial(`${5000 + n}`);
const last = `${5000 + Number(times)}`;
let [text, octets, heard] = ['', 0, []];
await new Promise((resolve, reject) => {
  setTimeout(() => reject(new Error(`the last is missing; heard ${heard.length}: ${heard.at(-1)}`)), 30000).unref();
  response.on('data', (data) => {
    octets += data.length;
    text += data;
    const events = text.split('\n\n');
    text = events.pop();
    for (const event of events.filter((e) => e.includes('data: {'))) {
      const { data: told } = JSON.parse(event.slice(event.indexOf('data: ') + 6));
      heard.push(told.identityCardChanged.card.workPhone.extension);
    }
    if (heard.at(-1) === last) resolve();
  });
  response.resume();
});
console.log(JSON.stringify({ heard: heard.length, octets, last: heard.at(-1), inOrder: heard.every((n, at) => at === 0 || heard[at - 1] < n) }));
process.exit(0);
