// /kart as a member of staff uses it, in Chromium on a telephone's width and on a desktop. Arguments: browser, address, user name,
// password, display name of a colleague, an administrator's token (who alone can read the code), folder for pictures. Prints what
// was seen.
import { codeSent, fault, open } from './chromium.mjs';

const [program, address, username, password, colleague, admin, pictures] = process.argv.slice(2);
const { send, evaluate, until, picture, type, seen, width, press, key, again, look, looked, close } = await open(program, pictures);
const told = {};
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
  const right = await codeSent(address, admin, 'MOBILE_CONFIRM_CODE');
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

  // The mobile is given up, by keyboard; first it is thought better of.
  await evaluate(`document.getElementById('give-up-mobile').focus()`);
  await key('Enter');
  await until('what follows from it', `document.activeElement?.id === 'give-up-password' && document.querySelectorAll('#give-up-told li').length > 3`);
  await look('kart-5d-give-up-1280');
  await key('Tab');
  await key('Tab');
  await key('Enter');
  told.thoughtBetter = await until('the buttons', `document.getElementById('change-mobile') && document.activeElement.id`);
  await width(360);
  await key('Enter');
  await until('what follows from it', `document.activeElement?.id === 'give-up-password'`);
  await send('Input.insertText', { text: 'Not-My-Password-1' });
  await key('Enter');
  told.notGivenUp = await until('a wrong password', fault);
  await evaluate(`document.getElementById('give-up-told').scrollIntoView()`);
  await look('kart-5e-give-up-360');
  await again('give-up-password', password);
  await key('Enter');
  told.givenUp = await until('the end', `/kaldırıldı/.test(document.querySelector('.done')?.textContent) && document.querySelector('.done').textContent`);
  told.noMobile = await evaluate(`document.querySelector('.number').textContent`);
  told.nothingToGiveUp = await evaluate(`!document.getElementById('give-up-mobile')`);
  await look('kart-5f-given-up-360');
  await width(1280);

  // The rest by keyboard: the places stand before the view, the search has the focus.
  await press('#places a[href="#bul"]');
  await until('the search', `document.activeElement?.id === 'search'`);
  await send('Input.insertText', { text: colleague.toLocaleLowerCase('tr') });
  await until('somebody', `document.querySelector('.people a')`);
  told.where = await evaluate(`document.querySelector('.people span').textContent`);
  await look('kart-6-find-1280');
  await key('Tab');
  await key('Enter');
  told.found = await until('the card', `location.hash.startsWith('#kart/') && document.querySelector('dl') && document.querySelector('h2').textContent`);
  told.focus = await evaluate('document.activeElement.tagName');
  await look('kart-7-colleague-1280');
  await press('#places a[href="#bul"]');
  told.foundAgain = await until('who was found before', `document.getElementById('search')?.value && document.querySelector('.people strong')?.textContent`);
  await press('#places a[href="#birim"]');
  told.units = await until('the units', `document.querySelectorAll('.tree li').length > 5 && document.querySelectorAll('.tree li').length`);
  await look('kart-8-units-1280');
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
console.log(JSON.stringify({ ...told, ...looked, complaints: seen.complaints, origins: [...seen.origins] }));
