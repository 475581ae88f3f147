// A code for a new password, which an officer has sent to somebody whom it has verified. Nobody but that person sees it.
import { say, tell, time } from "/kart/kart.js";
import { field, form, make } from "/kart/form.js";
import { ask } from "/kart/session.js";

const WAYS = ["IN_PERSON", "CALLED_BACK", "VOUCHED_FOR"];

// How the officer made sure who asks: nothing is chosen beforehand.
export function choice(id = "verified") {
  const select = make("select", { id, name: id, required: true });
  select.append(make("option", { value: "" }, say("choose")), ...WAYS.map((way) => make("option", { value: way }, say("verifiedBy")[way])));
  return { label: make("label", { htmlFor: id }, say("verified"), select), input: select };
}

export function resetForm(id) {
  const box = make("section", { className: "reset" }, make("h2", {}, say("reset")));
  const place = make("div", {});
  const open = make("button", { type: "button", className: "plain", id: "send-reset" }, say("resetSend"));
  const close = () => { place.replaceChildren(open); open.focus(); };
  open.onclick = () => {
    const verified = choice();
    const reason = field("reset-reason", say("reason"), { hint: say("reasonHint") });
    const { element } = form({
      fields: [verified, reason], deed: say("resetSend"), cancel: close, at: { reason: reason.input },
      act: async (complain, mind) => {
        const query = `mutation($i: PasswordResetSendInput!) { passwordResetSend(input: $i) { sentTo expiresAt userErrors { code path message } } }`;
        const input = { staffMember: { id }, verified: verified.input.value, reason: reason.input.value };
        const { passwordResetSend: sent } = await ask(query, { i: input });
        if (!sent) return complain(say("gone"));
        if (!sent.sentTo) return mind(sent.userErrors);
        const text = say("resetDone")(sent.sentTo, time(sent.expiresAt));
        place.replaceChildren(make("p", { className: "done" }, text), open);
        tell(text);
      },
    });
    place.replaceChildren(make("p", { className: "hint" }, say("resetHint")), element);
    verified.input.focus();
  };
  place.append(open);
  box.append(place);
  return box;
}
