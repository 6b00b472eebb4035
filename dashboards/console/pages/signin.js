// Sign-in.
import { html, useEffect, useState } from "../vendor/preact.js";
import { t, word, language } from "../i18n.js";
import * as api from "../api.js";
import { farewell, signIn } from "../session.js";
import { Button } from "../ui/button.js";
import { Field } from "../ui/field.js";
import { Sign } from "../ui/icon.js";
import { Settings } from "../ui/shell.js";
import { explain } from "../ui/toast.js";

/** Lines of a network that nobody runs: five ways through one place. */
const LINES = [
  "M-20 120 H210 L420 330 V560 L560 700 H900",
  "M-20 420 H180 L300 300 H620 L900 20",
  "M60 -20 V180 L420 540 H900",
  "M-20 640 H260 L560 340 V-20",
  "M300 -20 V80 L640 420 V900",
];

export function SignIn() {
  const [user, setUser] = useState("");
  const [password, setPassword] = useState("");
  const [fault, setFault] = useState(/** @type {string|undefined} */ (undefined));
  const [busy, setBusy] = useState(false);
  useEffect(() => {
    document.title = t("document-title", { page: t("sign-in") });
    /** @type {HTMLElement|null} */ (document.querySelector(".door-form input"))?.focus();
  }, []);
  const people = useDemo();
  const submit = async (/** @type {Event} */ event) => {
    event.preventDefault();
    if (user === "" || password === "") return setFault(t("sign-in-both"));
    setBusy(true);
    const answer = await signIn(user.trim(), password).catch(() => undefined);
    setBusy(false);
    if (!answer) setFault(t("no-server"));
    else if (!answer.ok) {
      setPassword("");
      setFault(answer.retryAfter ? t("too-many", { seconds: answer.retryAfter }) : explain(answer.body));
    }
  };
  return html`<div class="door">
    <div class="door-art">
      <svg class="lines" viewBox="0 0 880 880" preserveAspectRatio="xMidYMid slice" aria-hidden="true">${LINES.map((d) => html`<path key=${d} d=${d} />`)}<circle cx="420" cy="480" r="9" /><circle cx="300" cy="300" r="9" /><circle cx="560" cy="340" r="9" /></svg>
      <span class="brand"><${Sign} /><span>${t("brand")}</span></span>
      <p lang=${language.value}>${t("sign-in-line")}</p>
    </div>
    <main class="door-form">
      <div><h1>${t("sign-in")}</h1><p class="quiet">${t("sign-in-text")}</p></div>
      ${farewell.value && html`<p class="small warn" role="status">${t(farewell.value)}</p>`}
      <form onSubmit=${submit} novalidate>
        <${Field} label=${t("user")} name="user" autocomplete="username" value=${user} onInput=${setUser} required />
        <${Field} label=${t("password")} name="password" type="password" autocomplete="current-password" value=${password} onInput=${setPassword} fault=${fault} required />
        <${Button} type="submit" look="main" size="l" busy=${busy} onPress=${() => undefined}>${t("sign-in")}<//>
      </form>
      ${people.length > 0 && html`<div class="stack-tight"><h2>${t("demo-people")}</h2><ul class="people">${people.map((person) => html`<li key=${person.user}>
        <${Button} look="plain" size="s" onPress=${() => signIn(person.user, person.password)}><b>${person.user}</b><span class="quiet">${word("role", person.role)}</span><//></li>`)}</ul></div>`}
      <div class="door-foot"><${Settings} /></div>
    </main>
  </div>`;
}

/** Only this machine's own demo tells who can sign in; no other server is asked. */
const LOOPBACK = ["127.0.0.1", "localhost", "[::1]"];

/** @returns {{user: string, role: string, password: string}[]} */
function useDemo() {
  const [people, setPeople] = useState(/** @type {any[]} */ ([]));
  useEffect(() => {
    if (LOOPBACK.includes(location.hostname)) api.demo().then((answer) => answer.ok && setPeople(answer.body.users ?? []), () => undefined);
  }, []);
  return people;
}
