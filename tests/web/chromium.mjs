// Chromium over its debugging protocol: what a person does (go, type, press), what the browser saw of it, and their telephone.
import { spawn } from 'node:child_process';
import { mkdtempSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import WebSocket from 'ws';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const WCAG = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];

export async function open(program, pictures, size = '1400,900') {
  mkdirSync(pictures, { recursive: true });
  const profile = mkdtempSync(join(tmpdir(), 'kimlik-browser-'));
  const browser = spawn(program, [
    '--headless=new', '--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking', '--disable-component-update',
    '--disable-sync', '--disable-default-apps', '--lang=tr', '--accept-lang=tr', `--window-size=${size}`, '--remote-debugging-port=0',
    `--user-data-dir=${profile}`, 'about:blank',
  ]);
  const endpoint = await new Promise((resolve, reject) => {
    let said = '';
    browser.stderr.on('data', (data) => {
      said += data;
      const found = /DevTools listening on (ws:\S+)/.exec(said);
      if (found) resolve(found[1]);
    });
    browser.on('exit', () => reject(new Error(said)));
  });
  const debug = new WebSocket(endpoint, { perMessageDeflate: false, maxPayload: 1 << 28 });
  await new Promise((resolve) => debug.on('open', resolve));
  const seen = { origins: new Set(), sockets: new Set(), complaints: [] };
  const waiting = new Map();
  let count = 0;
  debug.on('message', (data) => {
    const { id, method, params, result, error } = JSON.parse(String(data));
    if (id) {
      const [resolve, reject] = waiting.get(id);
      waiting.delete(id);
      return error ? reject(new Error(error.message)) : resolve(result);
    }
    if (method === 'Network.requestWillBeSent' && /^(https?|wss?):/.test(params.request.url)) seen.origins.add(new URL(params.request.url).origin);
    if (method === 'Network.webSocketCreated') seen.sockets.add(new URL(params.url).host);
    if (method === 'Runtime.exceptionThrown') seen.complaints.push(params.exceptionDetails.exception?.description ?? params.exceptionDetails.text);
    if (method === 'Log.entryAdded' && params.entry.level === 'error') seen.complaints.push(params.entry.text);
  });
  let session;
  const send = (method, params = {}) =>
    new Promise((resolve, reject) => {
      count += 1;
      waiting.set(count, [resolve, reject]);
      debug.send(JSON.stringify({ id: count, method, params, sessionId: session }));
    });
  const { targetInfos } = await send('Target.getTargets');
  const page = targetInfos.find((target) => target.type === 'page');
  session = (await send('Target.attachToTarget', { targetId: page.targetId, flatten: true })).sessionId;
  for (const domain of ['Page', 'Network', 'Runtime', 'Log']) await send(`${domain}.enable`);

  const evaluate = async (expression) =>
    (await send('Runtime.evaluate', { expression, awaitPromise: true, returnByValue: true })).result.value;
  const until = async (what, expression) => {
    for (let n = 0; n < 300; n += 1) {
      const value = await evaluate(expression);
      if (value) return value;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    await picture('failed');
    throw new Error(`${what}: never; ${JSON.stringify(seen.complaints)} ${await evaluate('document.body.innerText')}`);
  };
  const picture = async (name) => {
    const { data } = await send('Page.captureScreenshot', { format: 'png' });
    writeFileSync(join(pictures, `${name}.png`), Buffer.from(data, 'base64'));
  };
  const type = async (id, text) => {
    await evaluate(`document.getElementById('${id}').focus()`);
    await send('Input.insertText', { text });
  };
  // What axe finds against WCAG 2.2 AA on the page as it stands: rule and element of each breach, and how many rules it looked at.
  const axe = async (where) => {
    // Why at each page: a page that was left has taken it along.
    await evaluate(`${AXE};0`);
    const run = `axe.run(document, { runOnly: ${JSON.stringify(WCAG)}, resultTypes: ['violations'] })`;
    const pick = `(found) => ({ passed: found.passes.length,
      breaches: found.violations.flatMap((v) => v.nodes.map((n) => v.id + ': ' + n.html.slice(0, 160) + ' ' + (n.any[0]?.message ?? ''))) })`;
    const { passed, breaches } = await evaluate(`${run}.then(${pick})`);
    return { where, passed, breaches };
  };
  const width = (pixels, height = 900) =>
    send('Emulation.setDeviceMetricsOverride', { width: pixels, height, deviceScaleFactor: 1, mobile: pixels < 700 });
  const press = (selector) => evaluate(`document.querySelector(${JSON.stringify(selector)}).click()`);
  const key = async (name) => {
    const codes = { Tab: 9, Enter: 13 };
    const text = name === 'Enter' ? '\r' : undefined;
    await send('Input.dispatchKeyEvent', { type: 'keyDown', key: name, windowsVirtualKeyCode: codes[name], text });
    await send('Input.dispatchKeyEvent', { type: 'keyUp', key: name, windowsVirtualKeyCode: codes[name] });
  };
  // In place of what was typed before.
  const again = async (id, text) => {
    await evaluate(`document.getElementById('${id}').value = ''`);
    await type(id, text);
  };
  // A picture, what axe finds, and whether something is wider than the window.
  const looked = { axe: [], overflow: [] };
  const look = async (name) => {
    await picture(name);
    looked.axe.push(await axe(name));
    looked.overflow.push(await evaluate('document.documentElement.scrollWidth > window.innerWidth'));
  };
  return { send, evaluate, until, picture, type, seen, axe, width, press, key, again, look, looked, close: () => browser.kill() };
}

// What the page complains of.
export const fault = `document.querySelector('.fault:not([hidden])')?.textContent`;

// The latest code that was sent for this purpose: of the telephone, which an administrator's token reads.
export async function codeSent(address, token, purpose) {
  for (let n = 0; n < 300; n += 1) {
    const query = '{ messages(first: 20) { nodes { purpose state text } } }';
    const headers = { 'content-type': 'application/json', authorization: `Bearer ${token}` };
    const answer = await fetch(new URL('/graphql', address), { method: 'POST', headers, body: JSON.stringify({ query }) });
    const { data } = await answer.json();
    const sent = data?.messages.nodes.find((message) => message.purpose === purpose && message.state === 'SENT');
    if (sent) return sent.text.match(/\b\d{6}\b/)[0];
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`no ${purpose}`);
}
