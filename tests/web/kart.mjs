// /kart as a member of staff uses it, in Chromium on a telephone's width and on a desktop. Arguments: browser, address, user name,
// password, display name of a colleague, an administrator's token (who alone can read the code), folder for pictures. Prints what
// was seen.
import { open } from './chromium.mjs';

const [program, address, username, password, colleague, admin, pictures] = process.argv.slice(2);
const { send, evaluate, until, picture, type, seen, axe, close } = await open(program, pictures);
const width = (pixels) => send('Emulation.setDeviceMetricsOverride', { width: pixels, height: 900, deviceScaleFactor: 1, mobile: pixels < 700 });
const press = (selector) => evaluate(`document.querySelector(${JSON.stringify(selector)}).click()`);
const again = async (id, text) => {
  await evaluate(`document.getElementById('${id}').value = ''`);
  await type(id, text);
};
const key = async (name) => {
  const codes = { Tab: 9, Enter: 13 };
  const text = name === 'Enter' ? '\r' : undefined;
  await send('Input.dispatchKeyEvent', { type: 'keyDown', key: name, windowsVirtualKeyCode: codes[name], text });
  await send('Input.dispatchKeyEvent', { type: 'keyUp', key: name, windowsVirtualKeyCode: codes[name] });
};
const fault = `document.querySelector('.fault:not([hidden])')?.textContent`;
const told = { overflow: [], axe: [] };
const look = async (name) => {
  await picture(name);
  told.axe.push(await axe(name));
  told.overflow.push(await evaluate('document.documentElement.scrollWidth > window.innerWidth'));
};
const code = async () => {
  const query = '{ messages(first: 5) { nodes { purpose text } } }';
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${admin}` };
  const answer = await fetch(new URL('/graphql', address), { method: 'POST', headers, body: JSON.stringify({ query }) });
  const { data } = await answer.json();
  return /\d{6}/.exec(data.messages.nodes.find((message) => message.purpose === 'MOBILE_CONFIRM_CODE').text)[0];
};
try {
  await width(360);
  await send('Page.navigate', { url: address });
  await until('the door', `Boolean(document.getElementById('username'))`);
  await look('kart-1-door-360');
  await type('username', username);
  await type('password', 'Not-My-Password-1');
  await press('.deed');
  told.refusal = await until('a refusal', fault);
  await again('password', password);
  await key('Enter');
  await until('the own card', `document.getElementById('change-mobile')`);
  await look('kart-2-own-360');
  const lines = `[...document.querySelectorAll('#truth dl > div')].map((line) => line.innerText)`;
  told.truth = await until('where the card comes from', `${lines}.length > 5 && ${lines}`);
  await evaluate(`document.getElementById('truth').scrollIntoView()`);
  await look('kart-2b-truth-360');

  await press('#change-mobile');
  await type('mobile', '0555 999 00 01');
  await type('password', 'Not-My-Password-1');
  await press('.deed');
  told.wrongPassword = await until('a wrong password', fault);
  await again('password', password);
  await press('.deed');
  await until('the code', `document.getElementById('code')`);
  await look('kart-3-code-360');
  const right = await code();
  await type('code', right === '000000' ? '000001' : '000000');
  await press('.deed');
  told.wrongCode = await until('a wrong code', fault);
  await again('code', right);
  await press('.deed');
  told.done = await until('the end', `document.querySelector('.done')?.textContent`);
  told.mobile = await evaluate(`document.querySelector('.number').textContent`);
  await picture('kart-4-changed-360');

  await width(1280);
  await press('#change-work');
  await evaluate(`document.getElementById('number').value = ''`);
  await again('extension', '4321');
  await type('work-password', password);
  await press('.deed');
  told.work = await until('the office line', `/İş telefonunuz/.test(document.querySelector('.done')?.textContent) && [...document.querySelectorAll('.number')][1].textContent`);
  await look('kart-5-own-1280');
  await evaluate(`document.getElementById('truth').scrollIntoView()`);
  await look('kart-5b-truth-1280');
  await press('#language');
  told.truthInEnglish = await until('the same in English', `document.documentElement.lang === 'en' && ${lines}.length > 5 && ${lines}`);
  await look('kart-5c-truth-english-1280');
  await press('#language');
  await until('Turkish', `document.documentElement.lang === 'tr' && ${lines}.length > 5`);

  // The rest by keyboard: the places stand before the view, the search has the focus.
  await press('#places a[href="#bul"]');
  await until('the search', `document.activeElement?.id === 'search'`);
  await send('Input.insertText', { text: colleague.toLocaleLowerCase('tr') });
  await until('somebody', `document.querySelector('.people a')`);
  await picture('kart-6-find-1280');
  told.axe.push(await axe('kart-6-find-1280'));
  await key('Tab');
  await key('Enter');
  told.found = await until('the card', `location.hash.startsWith('#kart/') && document.querySelector('dl') && document.querySelector('h2').textContent`);
  told.focus = await evaluate('document.activeElement.tagName');
  await picture('kart-7-colleague-1280');
  told.axe.push(await axe('kart-7-colleague-1280'));
  await press('#places a[href="#birim"]');
  told.units = await until('the units', `document.querySelectorAll('.tree li').length > 5 && document.querySelectorAll('.tree li').length`);
  await picture('kart-8-units-1280');
  told.axe.push(await axe('kart-8-units-1280'));
  await press('.tree ul a');
  await until('a unit', `document.querySelector('.sides h3')`);
  await picture('kart-9-unit-1280');
  await press('#language');
  told.language = await until('English', `document.documentElement.lang === 'en' && document.querySelector('.sides h3') && document.title`);
  await press('#leave');
  await until('the door', `document.getElementById('username')`);
} finally {
  close();
}
console.log(JSON.stringify({ ...told, complaints: seen.complaints, origins: [...seen.origins] }));
