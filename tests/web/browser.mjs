// GraphiQL as an administrator uses it, in Chromium. Arguments: browser, address, user, password, id of a run, folder for
// pictures. Prints what was seen: answers, every origin that was asked, every complaint of the browser.
import { open } from './chromium.mjs';

const [program, address, username, password, run, pictures] = process.argv.slice(2);
const { send, evaluate, until, picture, type, seen, close } = await open(program, pictures);
// The result that GraphiQL shows.
const shown = `(() => {
  const pane = document.querySelector('.result-window .CodeMirror');
  return pane ? pane.CodeMirror.getValue() : '';
})()`;
const choose = (title) =>
  evaluate(`[...document.querySelectorAll('.graphiql-tab-button')].find((tab) => tab.textContent.includes('${title}')).click()`);
// Why again and again: for a moment after a change, GraphiQL still holds the operation of before.
const answered = async (what, word) => {
  for (let n = 0; n < 20; n += 1) {
    await evaluate(`document.querySelector('.graphiql-execute-button').click()`);
    for (let m = 0; m < 10; m += 1) {
      await new Promise((resolve) => setTimeout(resolve, 100));
      const text = await evaluate(shown);
      if (text.includes(`"${word}"`)) return JSON.parse(text);
    }
  }
  await picture('failed');
  throw new Error(`${what}: no answer but ${await evaluate(shown)}`);
};

const told = {};
try {
  await send('Page.navigate', { url: address });
  await until('the sign-in', `document.getElementById('enter')?.disabled === false`);
  await picture('1-sign-in');
  await type('username', username);
  await type('password', 'not the password');
  await evaluate(`document.getElementById('enter').click()`);
  told.refusal = await until('a refusal', `document.getElementById('refusal').textContent`);
  await evaluate(`document.getElementById('username').value = ''`);
  await type('username', username);
  await type('password', password);
  await evaluate(`document.getElementById('enter').click()`);
  await until('GraphiQL', `document.querySelector('.graphiql-tab-button') && document.getElementById('door').hidden`);
  told.who = await evaluate(`document.getElementById('who').textContent`);
  told.tabs = await evaluate(`[...document.querySelectorAll('.graphiql-tab-button')].map((tab) => tab.textContent)`);
  told.answers = {};
  for (const title of told.tabs.filter((title) => title !== 'FollowARun')) {
    await choose(title);
    await until(title, `document.querySelector('.graphiql-query-editor .CodeMirror')?.CodeMirror.getValue().includes('${title}')`);
    told.answers[title] = await answered(title, 'data');
    if (title === 'WhatFailedSinceYesterday') await picture('2-answer');
    if (title === 'WhatWouldBeDone') await picture('2-plan');
    if (title === 'HowAreOurData') await picture('2-data');
  }
  await choose('FollowARun');
  await until('the tab', `document.querySelector('.graphiql-query-editor .CodeMirror')?.CodeMirror.getValue().includes('FollowARun')`);
  await evaluate(`[...document.querySelectorAll('.graphiql-editor-tool .CodeMirror')][0].CodeMirror.setValue(${JSON.stringify(JSON.stringify({ run }))})`);
  told.subscription = await answered('the subscription', 'syncProgress');
  await picture('3-subscription');
  await evaluate(`document.querySelector('[aria-label*="Documentation"]')?.click()`);
  await until('the documentation', `Boolean(document.querySelector('.graphiql-doc-explorer'))`);
  await picture('4-documentation');
  told.complaints = [...seen.complaints];
  // Two breaches of the policy, on purpose.
  told.inline = await evaluate(`(() => {
    const script = document.createElement('script');
    script.textContent = 'window.broken = true';
    document.body.append(script);
    return Boolean(window.broken);
  })()`);
  told.elsewhere = await evaluate(`fetch('http://127.0.0.2:9/').then(() => 'sent', () => 'refused')`);
  await evaluate(`document.getElementById('leave').click()`);
  await until('the door', `!document.getElementById('door').hidden`);
} finally {
  close();
}
console.log(JSON.stringify({ ...told, origins: [...seen.origins], sockets: [...seen.sockets] }));
process.exit(0);
