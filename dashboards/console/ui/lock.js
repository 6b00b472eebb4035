// The lock screen: nothing of the city can be seen or pressed until the password was given again.
import { html, useRef, useState } from "../vendor/preact.js";
import { t } from "../i18n.js";
import { me, signOut, unlock } from "../session.js";
import { Button } from "./button.js";
import { useFocusTrap } from "./dialog.js";
import { Field } from "./field.js";
import { Sign } from "./icon.js";
import { explain } from "./toast.js";

export function Lock() {
  const [password, setPassword] = useState("");
  const [fault, setFault] = useState(/** @type {string|undefined} */ (undefined));
  const [busy, setBusy] = useState(false);
  const ref = useRef(null);
  useFocusTrap(ref);
  const submit = async (/** @type {Event} */ event) => {
    event.preventDefault();
    setBusy(true);
    const answer = await unlock(password).catch(() => undefined);
    setBusy(false);
    setPassword("");
    if (!answer) setFault(t("no-server"));
    else if (!answer.ok) setFault(answer.retryAfter ? t("too-many", { seconds: answer.retryAfter }) : explain(answer.body));
  };
  return html`<div class="locked" role="dialog" aria-modal="true" aria-label=${t("locked-title")} ref=${ref}><form class="locked-card" onSubmit=${submit}>
    <span class="brand"><${Sign} /></span>
    <div><h1>${t("locked-title")}</h1><p class="quiet">${t("locked-text", { user: me.value?.user ?? "" })}</p></div>
    <input type="text" name="user" autocomplete="username" value=${me.value?.user ?? ""} hidden />
    <${Field} label=${t("password")} name="password" type="password" autocomplete="current-password" value=${password} onInput=${setPassword} fault=${fault} required />
    <div class="row"><${Button} type="submit" look="main" busy=${busy} onPress=${() => undefined}>${t("unlock")}<//><${Button} look="plain" onPress=${signOut}>${t("sign-out")}<//></div>
  </form></div>`;
}
