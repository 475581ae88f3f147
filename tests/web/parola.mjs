// Parola as a newcomer uses it, in Chromium on a telephone's width. Arguments: browser, address, user name, code, first and second
// password, folder for pictures. Prints what was seen.
import { fault, open } from './chromium.mjs';

const [program, address, username, code, first, second, pictures] = process.argv.slice(2);
const { send, evaluate, until, picture, type, seen, axe, width, press, again, close } = await open(program, pictures);
const told = { axe: [] };
const rules = `[...document.querySelectorAll('.rules li')].map((rule) => [rule.className, rule.textContent])`;
try {
  await width(360);
  await send('Page.navigate', { url: address });
  await until('the tasks', `Boolean(document.getElementById('task-first'))`);
  told.language = await evaluate('document.documentElement.lang');
  await picture('parola-1-tasks-360');
  told.axe.push(await axe('parola-1-tasks-360'));
  await press('#task-first');
  await type('name', username);
  await type('code', '00000000');
  await press('.deed');
  told.wrongCode = await until('a wrong code', fault);
  await again('code', code);
  await press('.deed');
  await until('the new password', `document.querySelectorAll('.rules li').length > 3`);
  await type('fresh', 'kisa');
  await until('a broken rule', `document.querySelector('.rules .broken')`);
  told.broken = await evaluate(rules);
  told.level = await until('the strength', `document.querySelector('meter').nextSibling.textContent`);
  await picture('parola-2-rules-360');
  told.axe.push(await axe('parola-2-rules-360'));
  await again('fresh', first);
  await until('kept rules', `!document.querySelector('.rules .broken') && document.querySelector('.rules .kept')`);
  told.overflow = await evaluate('document.documentElement.scrollWidth > window.innerWidth');
  await type('again', second);
  await press('.deed');
  told.differ = await until('that they differ', fault);
  await again('again', first);
  await press('.deed');
  told.done = await until('the end', `document.querySelector('.done')?.textContent`);
  await picture('parola-3-done-360');
  told.axe.push(await axe('parola-3-done-360'));

  await width(1280);
  await evaluate(`document.querySelector('.done').remove()`);
  await send('Page.navigate', { url: address });
  await until('the tasks', `Boolean(document.getElementById('task-change'))`);
  await press('#task-change');
  await until('the change', `Boolean(document.getElementById('current'))`);
  await press('#language');
  await until('English', `document.documentElement.lang === 'en'`);
  await type('name', username);
  await type('current', 'Not-My-Password-1');
  await again('fresh', second);
  await again('again', second);
  await press('.deed');
  told.wrongPassword = await until('a wrong password', fault);
  told.axe.push(await axe('a fault'));
  await again('current', first);
  await press('.deed');
  told.changed = await until('the end', `document.querySelector('.done')?.textContent`);
  await picture('parola-4-changed-1280');
  told.axe.push(await axe('parola-4-changed-1280'));
} finally {
  close();
}
console.log(JSON.stringify({ ...told, complaints: seen.complaints, origins: [...seen.origins] }));
