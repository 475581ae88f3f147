// The password page, led by a test that has something else to do between the tasks. Arguments: browser, address, folder for pictures.
// Each line that comes in is an order in JSON, each line that goes out its answer; at the end of the orders, what was seen.
import { createInterface } from 'node:readline';
import { fault, open } from './chromium.mjs';

const [program, address, pictures] = process.argv.slice(2);
const { send, evaluate, until, seen, width, press, key, again, look, looked, close } = await open(program, pictures);
const fields = `[...document.querySelectorAll('#task input:not([type=checkbox]):not(:disabled)')].map((input) => input.id)`;
const rules = `[...document.querySelectorAll('.rules li')].map((rule) => rule.textContent)`;
// As somebody without a mouse, who has to see where the keyboard is.
const tabTo = async (id) => {
  for (let n = 0; n < 40; n += 1) {
    const [at, outline] = await evaluate(`[document.activeElement?.id, getComputedStyle(document.activeElement).outlineStyle]`);
    if (at === id && outline === 'none') throw new Error(`nothing shows that ${id} has the focus`);
    if (at === id) return;
    await key('Tab');
  }
  throw new Error(`Tab never comes to ${id}`);
};
const inSight = `(({ top, bottom }) => top >= 0 && bottom <= innerHeight + 1)(document.querySelector('.fault:not([hidden])').getBoundingClientRect())`;
const orders = {
  // From the beginning, as somebody who has just opened the page.
  async task({ task, pixels, keys }) {
    await width(pixels, 800);
    await send('Page.navigate', { url: 'about:blank' });
    await send('Page.navigate', { url: address });
    await until('the tasks', `document.getElementById('task-${task}')`);
    if (keys) {
      await tabTo(`task-${task}`);
      await key('Enter');
    } else await press(`#task-${task}`);
    return { fields: await until('its fields', `${fields}.length && ${fields}`) };
  },
  // Types, presses the button, and waits for what comes of it: a complaint, the next step, or the end.
  async submit({ values, keys }) {
    for (const id of Object.keys(values)) await until(`the field ${id}`, `document.getElementById('${id}')?.disabled === false`);
    for (const [id, text] of Object.entries(values)) {
      if (keys) await tabTo(id);
      await again(id, text);
    }
    await evaluate(`document.querySelector('#task form').dataset.sent = 'yes'`);
    await (keys ? key('Enter') : press('#task .deed'));
    await until('an answer', `!document.querySelector('#task form[data-sent]') || document.querySelector('.fault:not([hidden])')`);
    if (await evaluate(fault)) await until('what is wrong in sight', inSight);
    if (values.code && !(await evaluate(fault))) await until('the rules or the end', `${rules}.length > 2 || document.querySelector('.done')`);
    const shown = `({ fault: ${fault} ?? null, done: document.querySelector('.done')?.textContent ?? null, fields: ${fields}, rules: ${rules},
      said: document.getElementById('task').innerText })`;
    return evaluate(shown);
  },
  // To the other language, as somebody who has not read to the end.
  async language() {
    const before = await evaluate(`document.documentElement.lang`);
    await press('#language');
    return { said: await until('the other language', `document.documentElement.lang !== '${before}' && document.getElementById('task').innerText`) };
  },
  async look({ name }) {
    await look(name);
    return {};
  },
};
try {
  for await (const line of createInterface({ input: process.stdin })) {
    const order = JSON.parse(line);
    console.log(JSON.stringify(await orders[order.do](order)));
  }
} finally {
  close();
}
console.log(JSON.stringify({ ...looked, complaints: seen.complaints, origins: [...seen.origins] }));
process.exit(0);
