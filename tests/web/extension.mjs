// The card of a colleague who has an extension and no line, as it shows on /kart. Arguments: browser, address of the card, user name,
// password, folder for pictures. Prints what was seen.
import { open } from './chromium.mjs';

const [program, address, username, password, pictures] = process.argv.slice(2);
const { send, evaluate, until, type, seen, width, press, look, looked, close } = await open(program, pictures);
const told = {};
const line = (label) => `[...document.querySelectorAll('dl > div')].find((line) => line.querySelector('dt').textContent === '${label}')`;
try {
  await width(360);
  await send('Page.navigate', { url: address });
  await until('the door', `document.getElementById('username')`);
  await type('username', username);
  await type('password', password);
  await press('.deed');
  told.turkish = await until('the card', `${line('İş telefonu')}?.querySelector('dd').textContent`);
  told.links = await evaluate(`${line('İş telefonu')}.querySelectorAll('a').length`);
  await look('extension-1-card-360');
  await press('#language');
  told.english = await until('English', `${line('Work phone')}?.querySelector('dd').textContent`);
  await width(1280);
  await look('extension-2-card-1280');
} finally {
  close();
}
console.log(JSON.stringify({ ...told, ...looked, complaints: seen.complaints, origins: [...seen.origins] }));
