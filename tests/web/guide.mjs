// Carries out every fenced block of a guide, in order, as its reader would. Arguments: the guide, what $NAMES stand for at first
// (JSON). Prints what went otherwise than the guide says, and how many blocks were carried out.
//
// ```graphql [as NAME | as nobody] [in tr] [until]   asked with the token in $NAME; with the variables of a ```json variables block before it
// ```sh, ```js                                        run; the last line that they print is the answer
// ```json answer                                      what the block before answers: "…" is anything, "$NAME" is kept (or is what was kept)
// ```anything not-run: why                            is not carried out
import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';

const [path, given] = process.argv.slice(2);
const kept = JSON.parse(given);
const wrong = [];
let done = 0;

const blocks = [...readFileSync(path, 'utf8').matchAll(/^```(\S+)([^\n]*)\n([\s\S]*?)^```$/gm)].map(([, language, info, text]) => ({
  language, info: info.trim(), text,
}));

function filled(text) {
  return text.replace(/\$([A-Z][A-Z_]*)/g, (all, name) => (name in kept ? kept[name] : all));
}

// What is otherwise; null: nothing.
function differs(wanted, got, at = 'answer') {
  if (wanted === '…') return got === undefined ? `${at} is missing` : null;
  const name = typeof wanted === 'string' && wanted.match(/^\$([A-Z][A-Z_]*)$/)?.[1];
  if (name && !(name in kept)) {
    if (typeof got !== 'string' || got === '') return `${at} should be a text to keep as ${name}, not ${JSON.stringify(got)}`;
    kept[name] = got;
    return null;
  }
  if (typeof wanted === 'string') return filled(wanted) === got ? null : `${at} should be ${filled(wanted)}, not ${JSON.stringify(got)}`;
  if (wanted === null || typeof wanted !== 'object') return wanted === got ? null : `${at} should be ${wanted}, not ${JSON.stringify(got)}`;
  if (got === null || typeof got !== 'object' || Array.isArray(wanted) !== Array.isArray(got)) return `${at} should not be ${JSON.stringify(got)}`;
  const open = Array.isArray(wanted) && wanted.at(-1) === '…';
  const keys = Object.keys(wanted).slice(0, open ? -1 : undefined);
  const extra = Object.keys(got).filter((key) => !keys.includes(key));
  if (extra.length && !open) return `${at} also has ${extra}`;
  for (const key of keys) {
    const found = differs(wanted[key], got[key], `${at}.${key}`);
    if (found) return found;
  }
  return null;
}

async function ask(block, variables) {
  const who = block.info.match(/\bas (\w+)/)?.[1] ?? 'ACCESS_TOKEN';
  const headers = { 'content-type': 'application/json', 'accept-language': /\bin tr\b/.test(block.info) ? 'tr' : 'en' };
  if (who !== 'nobody') headers.authorization = `Bearer ${kept[who]}`;
  const body = JSON.stringify({ query: filled(block.text), variables });
  return (await fetch(`${kept.KIMLIK}/graphql`, { method: 'POST', headers, body })).json();
}

function ran(block) {
  const env = { ...process.env, ...kept };
  const file = `./.guide-${process.pid}.mjs`;
  if (block.language === 'js') writeFileSync(file, filled(block.text));
  const [program, args] = block.language === 'js' ? ['node', [file]] : ['bash', ['-euc', filled(block.text)]];
  const out = spawnSync(program, args, { env, encoding: 'utf8', timeout: 60000 });
  if (block.language === 'js') rmSync(file);
  if (out.status !== 0) return { failed: out.stderr || String(out.error) };
  try {
    return JSON.parse(out.stdout.trim().split('\n').at(-1));
  } catch {
    return { said: out.stdout };
  }
}

for (let at = 0; at < blocks.length; at += 1) {
  const block = blocks[at];
  const name = `block ${at + 1} (${block.text.trim().split('\n')[0].slice(0, 60)})`;
  if (block.info.startsWith('not-run:')) {
    if (block.info.length < 20) wrong.push(`${name}: why is it not run?`);
    continue;
  }
  if (block.language === 'json') {
    if (block.info !== 'variables' && block.info !== 'answer') wrong.push(`${name}: neither variables nor an answer`);
    continue;
  }
  const before = blocks[at - 1];
  const variables = before?.language === 'json' && before.info === 'variables' ? JSON.parse(filled(before.text)) : {};
  const after = blocks[at + 1];
  if (!['graphql', 'sh', 'js'].includes(block.language)) {
    wrong.push(`${name}: nobody knows how to carry out ${block.language}`);
    continue;
  }
  if (after?.language !== 'json' || after.info !== 'answer') {
    wrong.push(`${name}: what does it answer?`);
    continue;
  }
  const wanted = JSON.parse(after.text);
  const patience = Date.now() + (/\buntil\b/.test(block.info) ? 60000 : 0);
  for (;;) {
    const got = block.language === 'graphql' ? await ask(block, variables) : ran(block);
    const before = { ...kept };
    const found = differs(wanted, got);
    if (!found) break;
    for (const name of Object.keys(kept)) if (!(name in before)) delete kept[name];
    if (Date.now() > patience) {
      wrong.push(`${name}: ${found}\n  whole: ${JSON.stringify(got)}`);
      break;
    }
    await new Promise((wait) => setTimeout(wait, 200));
  }
  done += 1;
}
console.log(JSON.stringify({ wrong, done }));
process.exit(0);
