// A personnel officer on a colleague's card: the phones, and a code for a new password; then that colleague on the password page.
// Arguments: browser, address of /kart, officer's user name and password, id of a colleague whose phones stay, of one whose mobile the
// officer changes, the first one's user name, a new password, an administrator's token (who alone can read the code), folder for
// pictures. Prints what was seen.
import { codeSent, open } from './chromium.mjs';

const [program, address, officer, password, kept, changed, username, fresh, admin, pictures] = process.argv.slice(2);
const { send, evaluate, until, type, seen, width, press, again, look, looked, close } = await open(program, pictures);
const choose = (id, value) => evaluate(`document.getElementById('${id}').value = '${value}'`);
const fault = `[...document.querySelectorAll('.fault:not([hidden])')].at(-1)?.textContent`;
const told = {};
const card = async (id) => {
  // Why taken away first: the card before stands until the next one is loaded.
  await evaluate(`document.querySelector('.sides')?.remove(); location.hash = '#kart/${id}'`);
  await until('the card', `document.getElementById('send-reset') && document.getElementById('change-staff')`);
};
try {
  await width(360);
  await send('Page.navigate', { url: address });
  await until('the door', `document.getElementById('username')`);
  await type('username', officer);
  await type('password', password);
  await press('.deed');
  await until('the own card', `document.getElementById('change-mobile')`);

  await card(changed);
  await press('#change-staff');
  await until('the form', `document.getElementById('reason')`);
  await look('officer-1-phones-360');
  told.hidden = await evaluate(`document.querySelector('label[for=phones-verified]').hidden`);
  await type('mobile', '0312 410 10 00');
  await type('reason', 'x');
  await press('.phones .deed');
  told.notSaid = await until('that it is not said how', fault);
  await choose('phones-verified', 'IN_PERSON');
  await evaluate(`document.querySelector('.phones .fault').hidden = true`);
  await press('.phones .deed');
  told.faults = await until('what is wrong', fault);
  await look('officer-2-faults-360');
  await again('mobile', '0555 999 00 77');
  await again('reason', 'hattı değişti, kimliğiyle geldi');
  await press('.phones .deed');
  told.phones = await until('the end', `document.querySelector('.phones .done')?.textContent`);

  await press('#send-reset');
  await until('the form', `document.getElementById('verified')`);
  await press('.reset .deed');
  told.empty = await until('that it is empty', fault);
  await choose('verified', 'IN_PERSON');
  await type('reset-reason', 'kimliğiyle geldi');
  await press('.reset .deed');
  told.refused = await until('a refusal', `document.querySelector('.reset .fault:not([hidden])')?.textContent.includes('siz') && document.querySelector('.reset .fault').textContent`);
  await look('officer-3-refused-360');

  // Why taken away: what is waited for is the next one.
  await evaluate(`document.querySelector('.phones .done').remove()`);
  await press('#change-staff');
  await until('the form', `document.getElementById('remove-mobile')`);
  await press('#remove-mobile');
  await choose('phones-verified', 'VOUCHED_FOR');
  await type('reason', 'hattını kapattırdı, yenisi yok');
  await press('.phones .deed');
  told.removed = await until('the end', `document.querySelector('.phones .done')?.textContent`);

  await width(1280);
  await card(kept);
  await press('#send-reset');
  await until('the form', `document.getElementById('verified')`);
  await choose('verified', 'CALLED_BACK');
  await type('reset-reason', 'dahilisinden geri arandı');
  await look('officer-4-reset-1280');
  await press('.reset .deed');
  told.sent = await until('the end', `document.querySelector('.reset .done')?.textContent`);
  await look('officer-5-sent-1280');
  const code = await codeSent(address, admin, 'RESET_CODE');

  await width(360);
  await send('Page.navigate', { url: new URL('/parola', address).href });
  await until('the tasks', `document.getElementById('task-forgotten')`);
  await press('#task-forgotten');
  await until('the other way', `document.getElementById('task-officer')`);
  await press('#task-officer');
  await until('the code', `document.getElementById('code')`);
  await look('officer-6-code-360');
  await type('name', username);
  await type('code', code === '000000' ? '000001' : '000000');
  await press('.deed');
  told.wrongCode = await until('a wrong code', fault);
  await again('code', code);
  await press('.deed');
  await until('the new password', `document.querySelectorAll('.rules li').length > 3`);
  await look('officer-7-password-360');
  await type('fresh', fresh);
  await type('again', fresh);
  await press('.deed');
  told.done = await until('the end', `document.querySelector('.done')?.textContent`);
} finally {
  close();
}
console.log(JSON.stringify({ ...told, ...looked, complaints: seen.complaints, origins: [...seen.origins] }));
