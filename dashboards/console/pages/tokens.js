// Tokens of a person's programs: what is good until when and was used when, to be revoked; one's own are made here, too.
import { html, useEffect, useState } from "../vendor/preact.js";
import { t } from "../i18n.js";
import * as api from "../api.js";
import { me } from "../session.js";
import { is } from "../rights.js";
import { date, dateTime } from "../format.js";
import { Button, HoldButton } from "../ui/button.js";
import { Dialog } from "../ui/dialog.js";
import { Choice, Field, Select } from "../ui/field.js";
import { Once } from "../ui/once.js";
import { explain } from "../ui/toast.js";

/** How long a token may be good, in days. */
const DAYS = [7, 30, 90, 366];

/** @param {{user: string, onClose: () => void}} props */
export function Tokens({ user, onClose }) {
  const [items, setItems] = useState(/** @type {any[]|undefined} */ (undefined));
  const [fault, setFault] = useState(/** @type {string|undefined} */ (undefined));
  const [secret, setSecret] = useState(/** @type {string|undefined} */ (undefined));
  const mine = user === me.value?.user;
  /** Asks the server; undefined where it refused, which is said. @param {Promise<api.Answer>} asked */
  const ask = async (asked) => {
    const answer = await asked.catch(() => undefined);
    setFault(answer?.ok ? undefined : answer ? explain(answer.body) : t("no-server"));
    return answer?.ok ? answer : undefined;
  };
  const load = async () => setItems((await ask(api.list("tokens", { user })))?.body.items ?? []);
  useEffect(() => void load(), []);
  const revoke = (/** @type {string} */ token) => async () => void ((await ask(api.call("DELETE", `tokens/${encodeURIComponent(token)}`))) && load());
  if (secret !== undefined) return html`<${Once} title=${t("token-made")} text=${t("token-made-text")} secret=${secret} onClose=${onClose} />`;
  return html`<${Dialog} title=${t("tokens-title", { user })} onClose=${onClose} foot=${html`<${Button} onPress=${onClose}>${t("close")}<//>`}>
    <p>${t("tokens-text")}</p>${fault && html`<p class="fault" role="alert">${fault}</p>`}
    ${items?.length === 0 && html`<p class="quiet">${t("tokens-none")}</p>`}
    ${items && items.length > 0 && html`<ul class="tokens">${items.map((item) => html`<li key=${item.token}><div class="grow"><b class="strong">${item.name}</b>
      <div class="small quiet">${item.roles ? item.roles.map((/** @type {string} */ role) => t(`role-${role}`)).join(", ") : t("token-all")} · ${t("token-until", { date: date(item.expires_at) })} · ${item.used_at ? t("token-used", { time: dateTime(item.used_at) }) : t("token-unused")}</div></div>
      ${(mine || is(["admin"])) && html`<${HoldButton} size="s" look="danger" online onPress=${revoke(item.token)}>${t("token-revoke")}<//>`}</li>`)}</ul>`}
    ${mine && html`<${Make} onMake=${async (/** @type {any} */ body) => setSecret((await ask(api.call("POST", "tokens", body)))?.body.value)} />`}<//>`;
}

/** @param {{onMake: (body: any) => Promise<void>}} props */
function Make({ onMake }) {
  const [name, setName] = useState("");
  const [days, setDays] = useState("90");
  const [roles, setRoles] = useState(/** @type {string[]} */ ([]));
  const all = me.value?.roles ?? [];
  const make = (/** @type {Event} */ event) => {
    event.preventDefault();
    if (name.trim() !== "") onMake({ name: name.trim(), days: Number(days), ...(roles.length > 0 && { roles }) });
  };
  return html`<form class="stack" onSubmit=${make}><h3>${t("token-new")}</h3>
    <${Field} label=${t("token-name")} value=${name} onInput=${setName} max=${64} required />
    <${Select} label=${t("token-days")} value=${days} onChange=${setDays} options=${DAYS.map((value) => ({ value: String(value), label: t("token-days-of", { days: value }) }))} />
    ${all.length > 1 && html`<fieldset class="choices"><legend>${t("token-roles")}</legend>${all.map((role) => html`<${Choice} key=${role} checked=${roles.includes(role)} label=${t(`role-${role}`)} onChange=${(/** @type {boolean} */ on) => setRoles(all.filter((other) => (other === role ? on : roles.includes(other))))} />`)}</fieldset>`}
    <div class="row"><${Button} type="submit" look="main" online onPress=${() => undefined}>${t("token-make")}<//></div></form>`;
}
