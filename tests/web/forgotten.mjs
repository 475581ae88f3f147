// Parola as somebody uses it who has forgotten the password, and then as somebody who is locked out. Arguments: browser, address,
// user name, new password, an administrator's token (to read the SMS), folder for pictures. Prints what was seen.
import { codeSent, fault, open } from './chromium.mjs';

const [program, address, username, password, token, pictures] = process.argv.slice(2);
const { send, evaluate, until, type, seen, width, press, again, look, looked, close } = await open(program, pictures);
const code = (purpose) => codeSent(address, token, purpose);
const told = {};
try {
  await width(360, 800);
  await send('Page.navigate', { url: address });
  await until('the tasks', `Boolean(document.getElementById('task-forgotten'))`);
  await look('forgotten-1-tasks-360');
  await press('#task-forgotten');
  await until('who', `Boolean(document.getElementById('name'))`);
  await type('name', username);
  await look('forgotten-2-who-360');
  await press('.deed');
  await until('the code', `Boolean(document.getElementById('sent'))`);
  await type('code', '000000');
  await press('.deed');
  told.wrongCode = await until('a wrong code', fault);
  await look('forgotten-3-code-360');
  told.overflow = await evaluate('document.documentElement.scrollWidth > window.innerWidth');
  await again('code', await code('RESET_CODE'));
  await press('.deed');
  await until('the new password', `document.querySelectorAll('.rules li').length > 3`);
  await type('fresh', password);
  await type('again', password);
  await press('.deed');
  told.done = await until('the end', `document.querySelector('.done')?.textContent`);

  await width(1280, 800);
  await evaluate(`document.querySelector('.done').remove()`);
  await send('Page.navigate', { url: address });
  await until('the tasks', `Boolean(document.getElementById('task-unlock'))`);
  await press('#language');
  await until('English', `document.documentElement.lang === 'en'`);
  await look('forgotten-4-tasks-1280');
  await press('#task-unlock');
  await until('who', `Boolean(document.getElementById('name'))`);
  await type('name', username);
  await press('.deed');
  await until('the code', `Boolean(document.getElementById('sent'))`);
  await look('forgotten-5-code-1280');
  await type('code', await code('UNLOCK_CODE'));
  await press('.deed');
  told.unlocked = await until('the end', `document.querySelector('.done')?.textContent`);
  await look('forgotten-6-unlocked-1280');
} finally {
  close();
}
console.log(JSON.stringify({ ...told, axe: looked.axe, complaints: seen.complaints, origins: [...seen.origins] }));
