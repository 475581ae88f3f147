// The audits of the specification "GraphQL over HTTP", of the package graphql-http. Arguments: address, token.
import { serverAudits } from 'graphql-http';

const [url, token] = process.argv.slice(2);
const fetchFn = (address, init = {}) =>
  fetch(address, { ...init, headers: { ...init.headers, authorization: `Bearer ${token}` } });
const results = await Promise.all(serverAudits({ url, fetchFn }).map((audit) => audit.fn()));
const missed = results.filter((result) => result.status !== 'ok');
for (const result of missed) console.log(`${result.id} ${result.name}: ${result.status}: ${result.reason}`);
console.log(`${results.length - missed.length} of ${results.length}`);
process.exit(missed.length === 0 ? 0 : 1);
