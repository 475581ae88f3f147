// The page asks the GraphQL API and nothing else; any front end could do the same.
const WORDS = {
  tr: {
    title: "Parola", other: "English", name: "Kullanıcı adı", nameHint: "Örneğin ayse.sahin", back: "Geri",
    first: "İlk parolam", firstHint: "Hesabım yeni açıldı, SMS ile kod geldi.",
    change: "Parolamı değiştir", changeHint: "Parolamı biliyorum, yenisini istiyorum.",
    expired: "Parolamın süresi doldu", expiredHint: "Bilgisayarım parolamı değiştirmemi istiyor; eskisini biliyorum.",
    forgotten: "Parolamı unuttum", forgottenHint: "Cep telefonuma kod gelsin, yeni bir parola belirleyeyim.",
    unlock: "Hesabımın kilidini aç", unlockHint: "Çok kez yanlış yazdım; parolamı biliyorum.",
    nationalId: "T.C. kimlik no", nationalIdHint: "11 rakam", send: "Kod gönder",
    officer: "Personel birimim kod gönderdi", officerHint: "Personel biriminiz kimliğinizi doğruladıktan sonra cep telefonunuza 6 rakamlı bir kod gönderir.",
    onlyOfficer: "Parolasını unutanlara kodu personel birimi gönderir. Biriminize başvurun; kimliğiniz doğrulanınca cep telefonunuza kod gelir.",
    pin: "PIN", pinHint: "6-12 rakam", pinAgain: "PIN, bir kez daha", pinDiffer: "İki PIN aynı değil.",
    newPin: "PIN belirle", newPinHint: "Parolanızı unutursanız SMS koduyla birlikte sorulur. 6-12 rakam.",
    pinTask: "PIN kodumu değiştir", pinTaskHint: "Parolamı biliyorum; SMS koduyla birlikte sorulan PIN değişsin.",
    pinDone: "PIN kodunuz değişti. Parolanızı unutursanız SMS koduyla birlikte sorulur.",
    sent: "Bilgiler doğruysa cep telefonunuza birkaç dakika içinde 6 rakamlı bir kod gelir. Gelmezse baştan başlayın ya da personel biriminize başvurun.",
    risk: "SMS başkasının eline geçebilir (telefon, SIM kart, yönlendirme). Kodu kimseye söylemeyin; istemediğiniz bir kod gelirse bilgi işlem birimine bildirin.",
    cooling: "Cep telefonunuz yeni değiştiyse bir süre kod gönderilmez.",
    unlocked: "Hesabınızın kilidi açıldı. Parolanız aynı; oturum açabilirsiniz.",
    code: "SMS ile gelen kod", codeHint: "8 rakam", shortCodeHint: "6 rakam", go: "Devam", current: "Şimdiki parola", fresh: "Yeni parola",
    again: "Yeni parola, bir kez daha", show: "Parolayı göster", save: "Parolayı belirle", differ: "İki parola aynı değil.",
    strength: "Dayanıklılık", levels: ["çok zayıf", "zayıf", "orta", "iyi", "çok iyi"],
    done: "Parolanız değişti. Bilgisayarınızda ve telefonunuzda artık yeni parolanızla oturum açın.",
    due: "Bir sonraki değişiklik en geç:", gone: "Eski parolanız artık geçerli değil. Lütfen başka bir yeni parola seçin.",
    away: "Şu anda yanıt alınamıyor. Biraz sonra yeniden deneyin.", empty: "Bu alan boş bırakılamaz.", more: "Başka bir işlem yap",
    ways: "Çok kez yanlış yazdıysanız hesabınızın kilidini açın; hatırlamıyorsanız yeni bir parola belirleyin. Yine olmazsa personel biriminize başvurun.",
    foot: "Kimse sizden parolanızı veya SMS kodunuzu isteyemez. Yardım için personel biriminize başvurun.",
  },
  en: {
    title: "Password", other: "Türkçe", name: "User name", nameHint: "For example ayse.sahin", back: "Back",
    first: "My first password", firstHint: "My account is new and a code came by SMS.",
    change: "Change my password", changeHint: "I know my password, and want another one.",
    expired: "My password has expired", expiredHint: "My computer says that it must be changed; I know the old one.",
    forgotten: "I forgot my password", forgottenHint: "Send a code to my mobile, and let me set a new password.",
    unlock: "Unlock my account", unlockHint: "I typed it wrongly too often; I know my password.",
    nationalId: "National id (T.C. kimlik no)", nationalIdHint: "11 digits", send: "Send a code",
    officer: "My personnel unit sent a code", officerHint: "Once your personnel unit has verified who you are, it sends a code of 6 digits to your mobile.",
    onlyOfficer: "Whoever has forgotten the password gets a code from the personnel unit. Turn to it; once you are verified, a code comes to your mobile.",
    pin: "PIN", pinHint: "6 to 12 digits", pinAgain: "PIN, once more", pinDiffer: "The two PINs differ.",
    newPin: "Choose a PIN", newPinHint: "It is asked beside the code if you forget your password. 6 to 12 digits.",
    pinTask: "Change my PIN", pinTaskHint: "I know my password; I want another PIN to be asked beside the code.",
    pinDone: "Your PIN has changed. It is asked beside the code if you forget your password.",
    sent: "If what you wrote is right, a code of 6 digits comes to your mobile within some minutes. If none comes, begin again or turn to your personnel unit.",
    risk: "An SMS can fall into other hands (phone, SIM card, forwarding). Tell the code to nobody; if one comes that you did not ask for, tell the IT department.",
    cooling: "If your mobile was changed lately, no code is sent for some time.",
    unlocked: "Your account is unlocked. The password is the same; you can sign in.",
    code: "Code from the SMS", codeHint: "8 digits", shortCodeHint: "6 digits", go: "Go on", current: "Present password", fresh: "New password",
    again: "New password, once more", show: "Show the password", save: "Set the password", differ: "The two passwords differ.",
    strength: "Strength", levels: ["very weak", "weak", "fair", "good", "very good"],
    done: "Your password has changed. From now on sign in with it, on your computer and on your phone.",
    due: "To be changed again by:", gone: "Your old password does not work any more. Please choose another new one.",
    away: "There is no answer now. Try again a little later.", empty: "This cannot be left empty.", more: "Do something else",
    ways: "If you typed it wrongly too often, unlock your account; if you do not remember it, set a new one. If neither helps, turn to your personnel unit.",
    foot: "Nobody may ask you for your password or your code. For help turn to your personnel unit.",
  },
};
const RULES = "rules { code turkish english }";
const FAULTS = "userErrors { code path message }";
const at = (id) => document.getElementById(id);
let tongue = localStorage.getItem("tongue") || (navigator.language.startsWith("en") ? "en" : "tr");
let view = menu;
const say = (key) => WORDS[tongue][key];
// Whoever has just read the page in it is told things in it from now on.
const read = () => tongue.toUpperCase();
const inWords = (rule) => (tongue === "tr" ? rule.turkish : rule.english);

async function ask(query, variables) {
  const headers = { "content-type": "application/json", "accept-language": tongue };
  const answer = await fetch("/graphql", { method: "POST", headers, body: JSON.stringify({ query, variables }) });
  const { data, errors } = await answer.json();
  if (errors || !data) throw new Error(errors?.[0]?.message ?? "no data");
  return data;
}

function make(tag, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

function field(key, hint, type, complete) {
  const input = make("input", { type, name: key, id: key, autocomplete: complete, autocapitalize: "none", spellcheck: false, required: true });
  if (["code", "nationalId", "pin", "newPin", "pinAgain"].includes(key)) input.inputMode = "numeric";
  const label = make("label", { htmlFor: key }, say(key));
  if (hint) {
    input.setAttribute("aria-describedby", `${key}-hint`);
    label.append(make("span", { className: "hint", id: `${key}-hint` }, hint));
  }
  label.append(input);
  return { label, input };
}

function form(heading, fields, deed, act) {
  const fault = make("p", { className: "fault", hidden: true });
  fault.setAttribute("role", "alert");
  const button = make("button", { className: "deed" }, deed);
  const back = make("button", { type: "button", className: "plain", onclick: menu }, say("back"));
  const element = make("form", { noValidate: true }, ...fields, fault, button, back);
  const beside = make("div", { className: "ways" });
  const complain = (text, input, ...ways) => {
    fault.textContent = text;
    fault.hidden = false;
    if (ways.length) { beside.replaceChildren(...ways); fault.after(beside); }
    if (input) { input.setAttribute("aria-invalid", "true"); input.focus(); }
    // Below a long form it would be out of sight.
    if (ways.length) beside.scrollIntoView({ block: "nearest" });
    fault.scrollIntoView({ block: "nearest" });
  };
  element.onsubmit = async (event) => {
    event.preventDefault();
    fault.hidden = true;
    beside.remove();
    const inputs = [...element.querySelectorAll("input:not([type=checkbox])")];
    inputs.forEach((input) => input.removeAttribute("aria-invalid"));
    const empty = inputs.find((input) => !input.value && !input.disabled);
    if (empty) return complain(say("empty"), empty);
    button.disabled = true;
    try { await act(complain); } catch { complain(say("away")); }
    button.disabled = false;
  };
  const known = at("name")?.value;
  at("tasks").replaceChildren();
  at("task").replaceChildren(make("h2", {}, heading), element);
  // Who goes from one task to another is the same person.
  if (known && at("name")) at("name").value = known;
  element.querySelector("input").focus();
}

// What the ministry asks for beside a code; asked once.
let policy;
const proofs = () => (policy ??= ask("{ passwordPolicy { resetNeedsNationalId resetNeedsPin resetNeedsOfficer } }").then((data) => data.passwordPolicy,
  () => { policy = undefined; return {}; }));
const words = (errors) => errors.map((error) => error.message).join(" ");

// A PIN twice; left out where the ministry does not ask for one.
function twice(wanted) {
  const one = field("newPin", say("newPinHint"), "password", "off");
  const two = field("pinAgain", "", "password", "off");
  for (const { label, input } of [one, two]) label.hidden = input.disabled = !wanted;
  const same = (complain) => one.input.value === two.input.value || complain(say("pinDiffer"), two.input);
  return { fields: [one.label, two.label], same, input: one.input };
}

// The new password twice, with the rules and the strength while one types.
function fresh(ticket) {
  const one = field("fresh", "", "password", "new-password");
  const two = field("again", "", "password", "new-password");
  const list = make("ul", { className: "rules" });
  const meter = make("meter", { min: 0, max: 4, low: 2, high: 3, optimum: 4, value: 0 });
  const word = make("span", { className: "hint" });
  const level = make("label", {}, say("strength"), meter, word);
  const box = make("input", { type: "checkbox", id: "show" });
  const show = make("label", { className: "check", htmlFor: "show" }, box, say("show"));
  box.onchange = () => [one, two].forEach(({ input }) => { input.type = box.checked ? "text" : "password"; });
  let rules = [];
  ask(`query($t: String) { passwordPolicy(ticket: $t) { ${RULES} } }`, { t: ticket }).then((data) => {
    rules = data.passwordPolicy.rules;
    mark(...last);
  }, () => {});
  // What only the directory knows stays open until it has been tried.
  const late = ["IN_HISTORY", "TOO_YOUNG"];
  let refused = [], last = [[], false];
  function mark(broken, typed) {
    last = [broken, typed];
    list.replaceChildren(...rules.map((rule) => {
      // How easily it is guessed is asked of what is long enough.
      const open = late.includes(rule.code) || (rule.code === "COMMON" && broken.includes("TOO_SHORT"));
      const state = broken.includes(rule.code) || refused.includes(inWords(rule)) ? "broken" : typed && !open ? "kept" : "";
      return make("li", { className: state }, inWords(rule));
    }));
  }
  let turn = 0, timer;
  one.input.oninput = () => {
    refused = [];
    clearTimeout(timer);
    timer = setTimeout(async () => {
      const mine = ++turn;
      if (!one.input.value) { mark([]); meter.value = 0; word.textContent = ""; return; }
      const query = "mutation($i: PasswordAssessInput!) { passwordAssess(input: $i) { score hint broken { code } } }";
      const data = await ask(query, { i: { password: one.input.value, ticket } }).catch(() => null);
      if (!data || mine !== turn) return;
      const { score, hint, broken } = data.passwordAssess;
      mark(broken.map((rule) => rule.code), true);
      meter.value = score;
      word.textContent = [say("levels")[score], hint].filter(Boolean).join(". ");
    }, 250);
  };
  const fields = [one.label, list, level, two.label, show];
  const same = (complain) => one.input.value === two.input.value || complain(say("differ"), two.input);
  // Rules that it was tried against and broke, those of the directory among them: an error says a rule in its words.
  const refuse = (errors) => { refused = errors.map((error) => error.message); mark(...last); };
  return { fields, same, refuse, input: one.input };
}

async function ended(payload, complain, input, choice) {
  if (payload.done) return finished("done", payload.expiresAt);
  choice.refuse(payload.userErrors);
  complain([words(payload.userErrors), ...(payload.oldPasswordGone ? [say("gone")] : [])].join(" "), input, ...await waysOut(payload.userErrors));
}

// Who is told no more than that it is wrong or locked, is told what can be done about either.
async function waysOut(errors) {
  if (!errors.some((error) => error.code === "CREDENTIALS_WRONG")) return [];
  const way = (key, open) => make("button", { type: "button", className: "plain", onclick: open }, say(key));
  const { resetNeedsOfficer } = await proofs();
  const hint = make("p", { className: "hint" }, say(resetNeedsOfficer ? "onlyOfficer" : "ways"));
  return resetNeedsOfficer ? [hint, way("officer", redeem)] : [hint, way("unlock", () => lost("unlock")), way("forgotten", forgotten)];
}

// What was done, and the way to something else.
function finished(key, dueAt) {
  view = () => finished(key, dueAt);
  const due = dueAt && new Date(dueAt).toLocaleDateString(tongue === "en" ? "en-GB" : "tr", { dateStyle: "long", timeZone: "Europe/Istanbul" });
  const text = make("p", { className: "done", tabIndex: -1 }, say(key));
  const more = make("button", { type: "button", className: "plain", onclick: menu }, say("more"));
  at("task").replaceChildren(text, ...(due ? [make("p", {}, `${say("due")} ${due}`)] : []), more);
  text.focus();
}

function first() {
  view = first;
  const name = field("name", say("nameHint"), "text", "username");
  const code = field("code", say("codeHint"), "text", "one-time-code");
  form(say("first"), [name.label, code.label], say("go"), async (complain) => {
    const query = `mutation($i: AccountActivateInput!) { accountActivate(input: $i) { ticket { token } ${FAULTS} } }`;
    const { accountActivate } = await ask(query, { i: { username: name.input.value, code: code.input.value } });
    if (accountActivate.ticket) return set("first", accountActivate.ticket.token, (await proofs()).resetNeedsPin);
    complain(words(accountActivate.userErrors), code.input);
  });
}

// Where an officer has codes sent, there is nothing to ask for.
const forgotten = async () => ((await proofs()).resetNeedsOfficer ? redeem() : lost("forgotten"));

// Forgotten and unlock: who one is, then the code. The same words come for everybody.
function lost(key) {
  view = () => lost(key);
  const name = field("name", say("nameHint"), "text", "username");
  const national = field("nationalId", say("nationalIdHint"), "text", "off");
  national.label.hidden = national.input.disabled = true;
  proofs().then(({ resetNeedsNationalId }) => { national.label.hidden = national.input.disabled = !resetNeedsNationalId; });
  form(say(key), [name.label, national.label], say("send"), async (complain) => {
    const [deed, type] = key === "unlock" ? ["accountUnlockStart", "AccountUnlockStartInput"] : ["passwordResetStart", "PasswordResetStartInput"];
    const query = `mutation($i: ${type}!) { start: ${deed}(input: $i) { challenge { id } ${FAULTS} } }`;
    const { start } = await ask(query, { i: { username: name.input.value, nationalId: national.input.value || null } });
    if (start.challenge) return prove(key, start.challenge.id);
    complain(words(start.userErrors), start.userErrors[0].path[0] === "nationalId" ? national.input : name.input);
  });
  if (key === "forgotten") at("task").append(make("button", { type: "button", id: "task-officer", className: "plain", onclick: redeem }, say("officer")));
}

// The code that an officer had sent, who has verified whom it is for.
function redeem() {
  view = redeem;
  const name = field("name", say("nameHint"), "text", "username");
  const code = field("code", say("shortCodeHint"), "text", "one-time-code");
  const hint = make("p", { className: "hint" }, say("officerHint"));
  proofs().then(({ resetNeedsOfficer }) => { if (resetNeedsOfficer) hint.textContent = say("onlyOfficer"); });
  form(say("officer"), [hint, name.label, code.label], say("go"), async (complain) => {
    const query = `mutation($i: PasswordResetRedeemInput!) { passwordResetRedeem(input: $i) { ticket { token } ${FAULTS} } }`;
    const { passwordResetRedeem } = await ask(query, { i: { username: name.input.value, code: code.input.value } });
    if (passwordResetRedeem.ticket) return set("officer", passwordResetRedeem.ticket.token);
    complain(words(passwordResetRedeem.userErrors), code.input);
  });
}

function prove(key, challengeId) {
  view = () => prove(key, challengeId);
  const code = field("code", say("shortCodeHint"), "text", "one-time-code");
  const pin = field("pin", say("pinHint"), "password", "off");
  pin.label.hidden = pin.input.disabled = true;
  proofs().then(({ resetNeedsPin }) => { pin.label.hidden = pin.input.disabled = !resetNeedsPin; });
  const sent = [make("p", { id: "sent" }, say("sent")), make("p", { className: "hint" }, say("cooling")), make("p", { className: "hint" }, say("risk"))];
  form(say(key), [...sent, code.label, pin.label], say("go"), async (complain) => {
    const query = `mutation($i: ChallengeVerifyInput!) { challengeVerify(input: $i) { ticket { token } ${FAULTS} } }`;
    const { challengeVerify } = await ask(query, { i: { challengeId, code: code.input.value, pin: pin.input.value || null } });
    if (!challengeVerify.ticket) return complain(words(challengeVerify.userErrors), code.input);
    const ticket = challengeVerify.ticket.token;
    if (key !== "unlock") return set(key, ticket);
    const { accountUnlock } = await ask(`mutation($i: AccountUnlockInput!) { accountUnlock(input: $i) { done ${FAULTS} } }`, { i: { ticket } });
    if (!accountUnlock.done) return complain(words(accountUnlock.userErrors), code.input);
    finished("unlocked");
  });
}

function set(key, ticket, wantsPin = false) {
  view = () => set(key, ticket, wantsPin);
  const choice = fresh(ticket);
  const pin = twice(wantsPin);
  form(say(key), [...choice.fields, ...pin.fields], say("save"), async (complain) => {
    if (choice.same(complain) !== true || pin.same(complain) !== true) return;
    const query = `mutation($i: PasswordSetInput!) { passwordSet(input: $i) { done expiresAt oldPasswordGone ${FAULTS} } }`;
    const { passwordSet } = await ask(query, { i: { ticket, newPassword: choice.input.value, pin: pin.input.value || null, language: read() } });
    await ended(passwordSet, complain, passwordSet.userErrors[0]?.path[0] === "pin" ? pin.input : choice.input, choice);
  });
}

// Also of a password that has expired or must be changed: it is asked for in the same way.
function change(key) {
  view = () => change(key);
  const name = field("name", say("nameHint"), "text", "username");
  const current = field("current", "", "password", "current-password");
  const choice = fresh(null);
  form(say(key), [name.label, current.label, ...choice.fields], say("save"), async (complain) => {
    if (choice.same(complain) !== true) return;
    const query = `mutation($i: PasswordChangeInput!) { passwordChange(input: $i) { done expiresAt oldPasswordGone ${FAULTS} } }`;
    const input = { username: name.input.value, currentPassword: current.input.value, newPassword: choice.input.value, language: read() };
    const { passwordChange } = await ask(query, { i: input });
    await ended(passwordChange, complain, passwordChange.userErrors[0]?.path[0] === "newPassword" ? choice.input : current.input, choice);
  });
}

function changePin() {
  view = changePin;
  const name = field("name", say("nameHint"), "text", "username");
  const current = field("current", "", "password", "current-password");
  const pin = twice(true);
  form(say("pinTask"), [name.label, current.label, ...pin.fields], say("newPin"), async (complain) => {
    if (pin.same(complain) !== true) return;
    const query = `mutation($i: PinSetInput!) { pinSet(input: $i) { done ${FAULTS} } }`;
    const { pinSet } = await ask(query, { i: { username: name.input.value, currentPassword: current.input.value, newPin: pin.input.value } });
    if (!pinSet.done) {
      const where = pinSet.userErrors[0].path[0] === "newPin" ? pin.input : current.input;
      return complain(words(pinSet.userErrors), where, ...await waysOut(pinSet.userErrors));
    }
    finished("pinDone");
  });
}

// `event`: somebody has come back to it.
function menu(event) {
  view = menu;
  const task = (key, open) => make("button", { type: "button", id: `task-${key}`, onclick: open }, make("strong", {}, say(key)), say(`${key}Hint`));
  at("task").replaceChildren();
  at("tasks").replaceChildren(task("first", first), task("forgotten", forgotten), task("expired", () => change("expired")),
    task("change", () => change("change")), task("unlock", () => lost("unlock")));
  if (event) at("tasks").firstElementChild.focus();
  proofs().then(({ resetNeedsPin, resetNeedsOfficer }) => {
    if (view !== menu) return;
    if (resetNeedsPin) at("tasks").append(task("pinTask", changePin));
    // Where an officer has codes sent, nobody is sent one for asking.
    if (resetNeedsOfficer) at("task-unlock").remove();
  });
}

function dress() {
  document.documentElement.lang = tongue;
  document.title = at("title").textContent = say("title");
  at("language").textContent = say("other");
  at("language").lang = tongue === "tr" ? "en" : "tr";
  at("foot").textContent = say("foot");
  // What was typed stays.
  const typed = new Map([...document.querySelectorAll("#task input:not([type=checkbox])")].map((input) => [input.id, input.value]));
  view();
  for (const input of document.querySelectorAll("#task input:not([type=checkbox])")) {
    if (!typed.get(input.id)) continue;
    input.value = typed.get(input.id);
    input.dispatchEvent(new Event("input"));
  }
}

at("language").onclick = () => {
  tongue = tongue === "tr" ? "en" : "tr";
  localStorage.setItem("tongue", tongue);
  dress();
};
dress();
