// Parola where a PIN is asked beside the code: a newcomer, the PIN changed, a forgotten password. Arguments: browser, address, user name,
// code, first and second password, an administrator's token (to read the SMS), folder for pictures. Prints what was seen.
import { codeSent, fault, open } from './chromium.mjs';

const [program, address, username, first, password, second, token, pictures] = process.argv.slice(2);
const { send, until, type, seen, width, press, again, look, looked, close } = await open(program, pictures);
const told = {};
const tasks = async () => {
  await send('Page.navigate', { url: 'about:blank' });
  await send('Page.navigate', { url: address });
  await until('the tasks', `document.getElementById('task-pinTask')`);
};
try {
  await width(360);
  await tasks();
  await look('pin-1-tasks-360');
  await press('#task-first');
  await type('name', username);
  await type('code', first);
  await press('.deed');
  await until('the new password', `document.querySelectorAll('.rules li').length > 3 && !document.getElementById('newPin').disabled`);
  await type('fresh', password);
  await type('again', password);
  await type('newPin', '123456');
  await type('pinAgain', '123457');
  await press('.deed');
  told.differ = await until('that they differ', fault);
  await again('pinAgain', '123456');
  await press('.deed');
  told.easy = await until('that it is easy', `document.querySelector('.fault:not([hidden])')?.textContent.includes('ilk') && document.querySelector('.fault').textContent`);
  await look('pin-2-easy-360');
  await again('newPin', '735192');
  await again('pinAgain', '735192');
  await press('.deed');
  told.done = await until('the end', `document.querySelector('.done')?.textContent`);

  await width(1280);
  await tasks();
  await press('#task-pinTask');
  await until('the PIN', `document.getElementById('newPin')`);
  await type('name', username);
  await type('current', 'Not-My-Password-1');
  await type('newPin', '840617');
  await type('pinAgain', '840617');
  await press('.deed');
  told.wrongPassword = await until('a wrong password', fault);
  await look('pin-3-change-1280');
  await again('current', password);
  await press('.deed');
  told.changed = await until('the end', `document.querySelector('.done')?.textContent`);
  await look('pin-4-changed-1280');

  await width(360);
  await tasks();
  await press('#task-forgotten');
  await until('who', `document.getElementById('name')`);
  await type('name', username);
  await press('.deed');
  await until('the code', `document.getElementById('sent') && !document.getElementById('pin').disabled`);
  await type('code', await codeSent(address, token, 'RESET_CODE'));
  await type('pin', '735192');
  await press('.deed');
  told.wrongPin = await until('the PIN of before', fault);
  await look('pin-5-code-360');
  await again('pin', '840617');
  await press('.deed');
  await until('the new password', `document.querySelectorAll('.rules li').length > 3`);
  await type('fresh', second);
  await type('again', second);
  await press('.deed');
  told.reset = await until('the end', `document.querySelector('.done')?.textContent`);
} finally {
  close();
}
console.log(JSON.stringify({ ...told, ...looked, complaints: seen.complaints, origins: [...seen.origins] }));
