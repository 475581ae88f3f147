// What other people's linters and compilers say of the schema: @graphql-eslint (schema-recommended and relay), relay-compiler,
// graphql-codegen with tsc. Argument: the schema. Prints what is wrong, as JSON; `[]`: nothing.
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ESLint } from 'eslint';
import plugin from '@graphql-eslint/eslint-plugin';
import { buildSchema, isObjectType } from 'graphql';

const [path] = process.argv.slice(2);
const sdl = readFileSync(path, 'utf8');
const schema = buildSchema(sdl);
const rules = { ...plugin.configs['flat/schema-recommended'].rules, ...plugin.configs['flat/schema-relay'].rules };
const rule = (name) => `@graphql-eslint/${name}`;

// Exceptions: how a rule is taken, and why.
const types = Object.values(schema.getTypeMap()).filter((type) => isObjectType(type) && !type.name.startsWith('__'));
const inLists = new Set(types.filter((type) => type.name.endsWith('Edge')).map((type) => type.getFields().node.type.toString().replace('!', '')));
// Lines of a list that are not things: they are told apart by what they are about.
const LINES = {
  HoldItem: 'a line of a hold: its personId and the hold say which',
  PlannedChange: 'a line of a plan, which is made for this answer and kept nowhere',
  CardDrift: 'what differs on a card at this moment: its card is what has an id',
  IdentityCardChange: 'a line of the feed: its cursor says where it stands, and its card is what has an id',
};
const values = types.map((type) => type.name).filter((name) => !inLists.has(name) || LINES[name]);
// Only what a list holds, or what can be asked for by id, has an identity. A value (a phone, a count, a payload) is a part of
// something: an id would make clients' caches keep it apart from what it is a part of.
rules[rule('strict-id-in-types')] = ['error', { exceptions: { types: values.filter((name) => !schema.getType(name).getFields().id) } }];
// `nodes` beside `edges` is what most clients ask for, and lists of values (postings, roles, receipts) have no pages.
rules[rule('relay-edge-types')] = ['error', { withEdgeSuffix: true, shouldImplementNode: true, listTypeCanWrapOnlyEdgeType: false }];
// What is listed from its newest on (runs, messages, audit) is read forward. Cards and units, which people leaf through, go both ways.
rules[rule('relay-arguments')] = ['error', { includeBoth: false }];
const EXCUSED = [
  // The library prints the definition of the specification's own directive.
  (message) => message.ruleId === rule('no-unreachable-types') && message.message.includes('`specifiedBy`'),
  (message) => message.ruleId === rule('relay-edge-types') && LINES[edgeAt(message.line)],
];
function edgeAt(line) {
  const above = sdl.split('\n').slice(0, line).reverse().find((text) => text.startsWith('type '));
  return above?.match(/^type (\w+)Edge/)?.[1];
}

async function linted() {
  const eslint = new ESLint({
    cwd: process.cwd(),
    overrideConfigFile: true,
    overrideConfig: [{
      files: ['**/*.graphql'],
      plugins: { '@graphql-eslint': plugin },
      languageOptions: { parser: plugin.parser, parserOptions: { graphQLConfig: { schema: path } } },
      rules,
    }],
  });
  const results = await eslint.lintText(sdl, { filePath: join(process.cwd(), 'schema.graphql') });
  const messages = results.flatMap((result) => result.messages).filter((message) => !EXCUSED.some((excused) => excused(message)));
  return messages.map(({ ruleId, line, message }) => `${ruleId} ${line}: ${message.split('\n')[0]}`);
}

// A front end as Relay's users write it: fragments, pages in both directions, refetching by id, a subscription.
const RELAY = `
import { graphql } from 'relay-runtime';
graphql\`fragment frontCard_card on IdentityCard @refetchable(queryName: "frontCardRefetchQuery") {
  id displayName title email unit { id name } manager { id displayName } workPhone { number extension } postings { kind startsOn } }\`;
graphql\`fragment frontUnit_unit on Unit @refetchable(queryName: "frontUnitPageQuery")
  @argumentDefinitions(first: { type: "Int" }, after: { type: "String" }, last: { type: "Int" }, before: { type: "String" }) {
  name staff(first: $first, after: $after, last: $last, before: $before) @connection(key: "frontUnit_staff") {
    totalCount edges { cursor node { id ...frontCard_card } } } }\`;
graphql\`query frontQuery($search: String) { viewer { name card { ...frontCard_card } }
  identityCards(search: $search, first: 20) @connection(key: "front_identityCards") { edges { node { ...frontCard_card } } } }\`;
graphql\`query frontNodeQuery($id: ID!) { node(id: $id) { __typename ...frontCard_card ...frontUnit_unit } }\`;
graphql\`subscription frontChangedSubscription($after: String) { identityCardChanged(after: $after) {
  kind cardId cursor card { ...frontCard_card } } }\`;
graphql\`mutation frontPhoneMutation($input: WorkPhoneUpdateInput!) { workPhoneUpdate(input: $input) {
  phones { work { effective { number extension } } } userErrors { code path message } } }\`;
`;

// The same, as users of typed documents write it; and what they do with the answers.
const DOCUMENTS = `
query Card($id: ID!) { node(id: $id) { __typename id ... on IdentityCard { displayName postings { startsOn } updatedAt unit { code } } } }
query Cards($search: String, $filter: IdentityCardFilter, $before: String) {
  identityCards(search: $search, filter: $filter, last: 10, before: $before) { totalCount pageInfo { startCursor } nodes { id workPhone { number } } } }
subscription Changed($after: String) { identityCardChanged(after: $after) { kind cardId cursor card { displayName } } }
mutation Suspend($input: AccountSuspendInput!) { accountSuspend(input: $input) { carriedOut plan { asOf verdict } userErrors { code path message } } }
`;
const USE = `
import type { CardQuery, CardsQueryVariables, SuspendMutation, ChangedSubscription } from './made/graphql';
import { CardDocument } from './made/graphql';
export function named(answer: CardQuery): string {
  const node = answer.node;
  return node?.__typename === 'IdentityCard' ? \`\${node.displayName} \${node.postings[0]?.startsOn?.slice(0, 4)}\` : 'nobody';
}
export const asked: CardsQueryVariables = { search: 'sahin', filter: { units: ['10000000'], includeSubunits: true } };
export const why = (answer: SuspendMutation) => answer.accountSuspend?.userErrors.map((e) => \`\${e.code}: \${e.message}\`) ?? [];
export const gone = (change: ChangedSubscription) => change.identityCardChanged?.kind === 'REMOVED';
export const document = CardDocument;
`;
const scalars = { Date: 'string', UUID: 'string', DateTime: 'string', UnitCode: 'string', RegistryNumber: 'string', PhoneNumber: 'string' };

function ran(name, program, args, cwd) {
  const out = spawnSync(join(process.cwd(), 'node_modules/.bin', program), args, { cwd, encoding: 'utf8' });
  return out.status === 0 ? [] : [`${name}: ${out.stdout} ${out.stderr} ${out.error ?? ''}`];
}

function compiled(folder) {
  cpSync(path, join(folder, 'schema.graphql'));
  writeFileSync(join(folder, 'front.ts'), RELAY);
  writeFileSync(join(folder, 'relay.config.json'), JSON.stringify({
    src: '.', schema: 'schema.graphql', language: 'typescript', excludes: ['**/made/**'], artifactDirectory: 'artifacts', eagerEsModules: true,
    customScalarTypes: scalars,
  }));
  mkdirSync(join(folder, 'artifacts'));
  return ran('relay-compiler', 'relay-compiler', ['relay.config.json'], folder);
}

function typed(folder) {
  writeFileSync(join(folder, 'documents.graphql'), DOCUMENTS);
  writeFileSync(join(folder, 'use.ts'), USE);
  writeFileSync(join(folder, 'codegen.json'), JSON.stringify({
    schema: 'schema.graphql', documents: ['documents.graphql'],
    generates: { 'made/': { preset: 'client', presetConfig: { fragmentMasking: false }, config: { scalars, strictScalars: true } } },
  }));
  const made = ran('graphql-codegen', 'graphql-codegen', ['--config', 'codegen.json'], folder);
  const strict = ['--noEmit', '--strict', '--skipLibCheck', '--module', 'esnext', '--moduleResolution', 'bundler', '--target', 'es2022'];
  return made.length ? made : ran('tsc', 'tsc', [...strict, 'use.ts'], folder);
}

const folder = mkdtempSync(join(process.cwd(), 'front-'));
const wrong = [...(await linted()), ...compiled(folder), ...typed(folder)];
rmSync(folder, { recursive: true });
console.log(JSON.stringify(wrong));
