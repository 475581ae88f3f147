// Phones: one's own with password and code, other people's by their personnel unit.
import { phone, say, tell, time } from "/kart/kart.js";
import { field, form, make } from "/kart/form.js";
import { choice } from "/kart/reset.js";
import { ask } from "/kart/session.js";

const STATE = "pendingSince standing conflict";
const LINE = "{ number extension }";
const PHONES = `mobile { effective hr pending ${STATE} } work { effective ${LINE} hr ${LINE} pending ${LINE} ${STATE} }`;
const FAULTS = "userErrors { code path message }";
const phonesOf = async (id) => (await ask(`query($id: ID!) { staffMember(by: { id: $id }) { phones { ${PHONES} } } }`, { id })).staffMember?.phones;

const shown = (value) => {
  if (!value) return say("none");
  if (typeof value === "string") return phone(value);
  return [value.number && phone(value.number), value.extension && say("inside")(value.extension)].filter(Boolean).join(", ");
};

// What counts, and what the two sides say where they differ.
function state(key, { effective, hr, pending, standing, conflict }) {
  const parts = [make("h3", {}, say(key)), make("p", { className: "number" }, shown(effective))];
  if (standing) {
    const both = conflict ? [make("br"), `${say("hrSays")} ${shown(hr)} · ${say("here")} ${shown(pending)}`] : [];
    parts.push(make("p", { className: "note" }, say("standings")[standing], ...both));
  }
  return parts;
}

// The card as it is now, and what was done, for eyes and ears.
async function done(again, text) {
  if (await again()) document.querySelector(".phones h2")?.after(make("p", { className: "done" }, text));
  tell(text);
}

export async function ownPhones(id, again) {
  const phones = await phonesOf(id);
  const box = make("section", { className: "phones" }, make("h2", {}, say("phones")));
  if (!phones) return box;
  // One button a deed; its form takes the place of all of them.
  const part = (key, value, ...deeds) => {
    const place = make("div", { className: "row" });
    const buttons = deeds.map(([id, text, open]) => {
      const button = make("button", { type: "button", className: "plain", id }, text);
      const close = () => { place.replaceChildren(...buttons); button.focus(); };
      button.onclick = () => open(place, close, value);
      return button;
    });
    place.append(...buttons);
    box.append(...state(key, value), place);
  };
  const change = (key, open) => [`change-${key}`, say(`${key}Change`), open];
  const mobile = [change("mobile", (place, close) => askForCode(place, close, () => done(again, say("mobileDone"))))];
  if (phones.mobile.effective) mobile.push(["give-up-mobile", say("giveUp"), (place, close) => giveUp(place, close, () => done(again, say("giveUpDone")))]);
  part("mobile", phones.mobile, ...mobile);
  part("work", phones.work, change("work", (place, close, value) => changeWork(place, close, value, () => done(again, say("workDone")))));
  return box;
}

// What follows from it is told before, and to whoever hears the field it is typed into.
function giveUp(place, close, done) {
  const told = make("ul", { id: "give-up-told" }, ...say("giveUpTold").map((text) => make("li", {}, text)));
  const password = field("give-up-password", say("password"), { hint: say("passwordHint"), type: "password", complete: "current-password" });
  password.input.setAttribute("aria-describedby", "give-up-told give-up-password-hint");
  const { element } = form({
    fields: [password], deed: say("giveUpDeed"), cancel: close, at: { password: password.input },
    act: async (complain, mind) => {
      const query = `mutation($i: MobileRemoveInput!) { mobileRemove(input: $i) { phones { mobile { effective } } ${FAULTS} } }`;
      const { mobileRemove: { phones, userErrors } } = await ask(query, { i: { password: password.input.value } });
      if (!phones) return mind(userErrors);
      await done();
    },
  });
  place.replaceChildren(make("h4", {}, say("giveUp")), told, element);
  password.input.focus();
}

function askForCode(place, close, done, known = "") {
  const mobile = field("mobile", say("newMobile"), { hint: say("mobileHint"), type: "tel", complete: "tel", value: known });
  const password = field("password", say("password"), { hint: say("passwordHint"), type: "password", complete: "current-password" });
  const { element } = form({
    fields: [mobile, password], deed: say("sendCode"), cancel: close, at: { mobile: mobile.input, password: password.input },
    act: async (complain, mind) => {
      const query = `mutation($i: MobileChangeStartInput!) { mobileChangeStart(input: $i) { challenge { id expiresAt } ${FAULTS} } }`;
      const input = { mobile: mobile.input.value, password: password.input.value };
      const { mobileChangeStart: { challenge, userErrors } } = await ask(query, { i: input });
      if (!challenge) return mind(userErrors);
      enterCode(place, close, done, challenge, mobile.input.value);
    },
  });
  place.replaceChildren(element);
  (known ? password : mobile).input.focus();
}

function enterCode(place, close, done, challenge, to) {
  const code = field("code", say("code"), { hint: say("codeHint")(to, time(challenge.expiresAt)), complete: "one-time-code", mode: "numeric" });
  const { element } = form({
    fields: [code], deed: say("confirm"), cancel: close, at: { code: code.input },
    act: async (complain, mind) => {
      const query = `mutation($i: MobileChangeConfirmInput!) { mobileChangeConfirm(input: $i) { phones { mobile { effective } } ${FAULTS} } }`;
      const { mobileChangeConfirm: { phones, userErrors } } = await ask(query, { i: { challengeId: challenge.id, code: code.input.value } });
      if (!phones) return mind(userErrors);
      await done();
    },
  });
  const resend = make("button", { type: "button", className: "plain", onclick: () => askForCode(place, close, done, to) }, say("resend"));
  place.replaceChildren(element, resend);
  tell(say("codeHint")(to, time(challenge.expiresAt)));
  code.input.focus();
}

function changeWork(place, close, { effective }, done) {
  const number = field("number", say("number"), { hint: say("numberHint"), type: "tel", value: phone(effective?.number ?? ""), optional: true });
  const extension = field("extension", say("extension"), { value: effective?.extension ?? "", mode: "numeric", optional: true });
  const password = field("work-password", say("password"), { hint: say("passwordHint"), type: "password", complete: "current-password" });
  const { element } = form({
    fields: [number, extension, password], deed: say("save"), cancel: close,
    at: { number: number.input, extension: extension.input, password: password.input },
    act: async (complain, mind) => {
      const query = `mutation($i: WorkPhoneUpdateInput!) { workPhoneUpdate(input: $i) { phones { work { standing } } ${FAULTS} } }`;
      const input = { number: number.input.value, extension: extension.input.value, password: password.input.value };
      const { workPhoneUpdate: { phones, userErrors } } = await ask(query, { i: input });
      if (!phones) return mind(userErrors);
      await done();
    },
  });
  place.replaceChildren(element);
  number.input.focus();
}

// Null: these are not people of the caller's units. The reading of the numbers is recorded: they are asked for when they are needed.
export async function officersForm(id, again) {
  const box = make("section", { className: "phones" }, make("h2", {}, say("staffPhones")));
  const place = make("div", {});
  const open = make("button", { type: "button", className: "plain", id: "change-staff" }, say("change"));
  open.onclick = async () => {
    const phones = await phonesOf(id).catch(() => null);
    if (!phones) return place.replaceChildren(make("p", { className: "fault" }, say("gone")));
    const mobile = field("mobile", say("mobile"), { type: "tel", optional: true });
    const gone = make("input", { type: "checkbox", id: "remove-mobile" });
    // A code goes to whoever holds the mobile: how it was made sure who asks is told with another one.
    const verified = choice("phones-verified");
    const askHow = () => { verified.label.hidden = !(verified.input.required = gone.checked || Boolean(mobile.input.value.trim())); };
    mobile.input.oninput = askHow;
    gone.onchange = () => { mobile.input.disabled = gone.checked; askHow(); };
    askHow();
    const remove = { label: make("label", { htmlFor: "remove-mobile", className: "check" }, gone, say("removeMobile")), input: gone };
    const number = field("number", say("work"), { type: "tel", value: phone(phones.work.effective?.number ?? ""), optional: true });
    const extension = field("extension", say("extension"), { value: phones.work.effective?.extension ?? "", mode: "numeric", optional: true });
    const reason = field("reason", say("reason"), { hint: say("reasonHint") });
    const { element } = form({
      fields: [mobile, ...(phones.mobile.effective ? [remove] : []), verified, number, extension, reason], deed: say("save"), cancel: () => place.replaceChildren(open),
      at: { mobile: mobile.input, workPhone: number.input, reason: reason.input },
      act: async (complain, mind) => {
        const query = `mutation($i: StaffPhonesUpdateInput!) { staffPhonesUpdate(input: $i) { phones { mobile { effective } } ${FAULTS} } }`;
        const input = { personId: id, reason: reason.input.value, workPhone: { number: number.input.value, extension: extension.input.value } };
        if (gone.checked) input.removeMobile = true; else if (mobile.input.value.trim()) input.mobile = mobile.input.value;
        if (verified.input.required) input.verified = verified.input.value;
        const { staffPhonesUpdate } = await ask(query, { i: input });
        if (!staffPhonesUpdate) return complain(say("gone"));
        if (!staffPhonesUpdate.phones) return mind(staffPhonesUpdate.userErrors);
        await done(again, say("staffDone"));
      },
    });
    place.replaceChildren(...state("mobile", phones.mobile), ...state("work", phones.work), make("p", { className: "hint" }, say("keep")), element);
    mobile.input.focus();
  };
  place.append(open);
  box.append(place);
  return box;
}
